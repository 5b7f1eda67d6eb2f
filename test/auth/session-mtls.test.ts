import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import {
  createMtlsAuthInterceptor,
  createSessionAuthInterceptor,
  getAuthContext,
  type SessionAuthOptions,
} from "connectum/auth";
import { createTestCertificates } from "connectum/testing";
import { createTransport } from "../support/transports.ts";
import { WhoService } from "./gen/who/v1/who_pb.js";
import { asker, FAILED, MISSING } from "./support/ask.ts";
import { startWho } from "./support/doors.ts";

interface Session {
  readonly user: string;
}

const sessions = new Map<string, Session>([["s-1", { user: "ada" }]]);
const options: SessionAuthOptions<Session> = {
  verifySession: async (token) => sessions.get(token) ?? null,
  mapSession: ({ user }) => ({ subject: user, roles: ["member"] }),
};

describe("createSessionAuthInterceptor", () => {
  test("by default the token is the bearer's; no session is no identity", async () => {
    const ask = asker(createSessionAuthInterceptor(options));
    assert.equal(await ask("s-1"), "ada");
    assert.equal(await ask("s-2"), FAILED);
    assert.equal(await ask(), MISSING);
  });

  test("from a cookie among others, the first of its name", async () => {
    const ask = asker(
      createSessionAuthInterceptor({ ...options, extractToken: { cookie: "sid" } }),
    );
    const send = (cookie: string) => ask(undefined, { cookie });
    for (const cookie of [
      "sid=s-1",
      "a=b; sid=s-1; c=d",
      "xsid=no; sid=s-1",
      " sid = s-1 ;sid=s-2",
    ]) {
      assert.equal(await send(cookie), "ada", cookie);
    }
    for (const cookie of ["sid=", "xsid=s-1", "sid", "", "SID=s-1"]) {
      assert.equal(await send(cookie), MISSING, cookie);
    }
    assert.equal(await send("sid=s-2; sid=s-1"), FAILED);
  });

  test("from a header or a function", async () => {
    const byHeader = asker(
      createSessionAuthInterceptor({ ...options, extractToken: { header: "X-Sid" } }),
    );
    assert.equal(await byHeader(undefined, { "x-sid": "s-1" }), "ada");
    const extractToken: SessionAuthOptions<Session>["extractToken"] = ({ header }) =>
      header.get("x-parts")?.split("|")[1];
    const byFunction = asker(createSessionAuthInterceptor({ ...options, extractToken }));
    assert.equal(await byFunction(undefined, { "x-parts": "0|s-1" }), "ada");
    assert.equal(await byFunction(), MISSING);
  });

  test("a store that is down is unavailable if it says so, and never an identity", async () => {
    const failing = (error: unknown) =>
      asker(
        createSessionAuthInterceptor({
          ...options,
          verifySession: () => Promise.reject(error),
        }),
      );
    const down = new ConnectError("sessions are down", Code.Unavailable);
    assert.equal(await failing(down)("s-1"), "[unavailable] sessions are down");
    assert.equal(await failing(new Error("ECONNREFUSED"))("s-1"), FAILED);
    const throwing = { ...options, mapSession: () => assert.fail("bad row") };
    assert.equal(await asker(createSessionAuthInterceptor(throwing))("s-1"), FAILED);
  });

  test("wrong options are refused", () => {
    for (const wrong of [
      {},
      { ...options, mapSession: undefined },
      { ...options, extractToken: "cookie" },
      { ...options, extractToken: { cookie: "a b" } },
      { ...options, extractToken: { query: "sid" } },
    ]) {
      assert.throws(() => createSessionAuthInterceptor(wrong as never), { code: "INVALID_OPTION" });
    }
  });
});

describe("createMtlsAuthInterceptor", () => {
  const id = "spiffe://example.org/billing";

  async function startTls(
    t: Parameters<typeof startWho>[0],
    mtls: Parameters<typeof createMtlsAuthInterceptor>[0] = {},
  ) {
    const authority = await createTestCertificates();
    let seen: ReturnType<typeof getAuthContext>;
    const { baseUrl, client } = await startWho(t, {
      tls: { ...(await authority.issue()), ca: authority.ca, clientAuth: "request" },
      interceptors: [
        createMtlsAuthInterceptor(mtls),
        (next) => (request) => {
          seen = getAuthContext(request);
          return next(request);
        },
      ],
    });
    type Certificate = Parameters<typeof authority.issue>[0];
    const ask = async (certificate?: Certificate, issuer = authority) => {
      const pair = certificate && (await issuer.issue(certificate));
      const transport = createTransport("gRPC h2", baseUrl, { ca: authority.ca, ...pair });
      return createClient(WhoService, transport)
        .ask({})
        .then(
          ({ subject }) => subject,
          ({ message }) => message as string,
        );
    };
    return { ask, client, seen: () => seen };
  }

  test("the SPIFFE id, else a DNS name, else the subject; nobody without a certificate", async (t) => {
    const { ask, client, seen } = await startTls(t);
    assert.equal(await ask({ name: "b", uris: ["https://b", id] }), id);
    const { type, roles, claims } = seen() ?? {};
    assert.deepEqual([type, roles], ["mtls", []]);
    assert.equal(claims?.subject, "CN=b");
    assert.match(String(claims?.fingerprint256), /^([0-9A-F]{2}:){31}/);
    assert.equal(await ask({ name: "b", names: ["b.internal", "c.internal"] }), "b.internal");
    assert.equal(await ask({ name: "b", names: [] }), "CN=b");
    assert.equal(await ask({ uris: [id, "spiffe://example.org/admin"] }), FAILED);
    assert.equal(await ask(), MISSING);
    const evil = await createTestCertificates();
    assert.equal(await ask({ uris: [id] }, evil), MISSING, "another authority's word");
    await assert.rejects(client("in process").ask({}), { message: MISSING });
  });

  test("map decides whom a certificate belongs to, and a cache remembers it by fingerprint", async (t) => {
    let mapped = 0;
    const { ask } = await startTls(t, {
      cache: {},
      async map({ certificate, address }) {
        mapped++;
        assert.equal(address, "127.0.0.1");
        return certificate.uris[0] === id ? { subject: "billing" } : null;
      },
    });
    assert.equal(await ask({ uris: [id] }), "billing");
    assert.equal(await ask({ uris: [id] }), "billing");
    assert.equal(mapped, 2, "two certificates");
    assert.equal(await ask({ uris: ["spiffe://example.org/x"] }), FAILED);
  });
});
