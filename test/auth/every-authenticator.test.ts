import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { Code, createClient, type Interceptor } from "@connectrpc/connect";
import {
  type AuthenticationOptions,
  type CachedAuthenticationOptions,
  createAuthInterceptor,
  createGatewayAuthInterceptor,
  createInternalAuthInterceptor,
  createJwtAuthInterceptor,
  createMtlsAuthInterceptor,
  createSessionAuthInterceptor,
  type InternalTrust,
} from "connectum/auth";
import { createTestCertificates, createTestJwt } from "connectum/testing";
import { createTransport } from "../support/transports.ts";
import { WhoService } from "./gen/who/v1/who_pb.js";
import { bearer, startWho } from "./support/doors.ts";

const secret = "s".repeat(32);
const changeOnly = ["who.v1.WhoService/Change"];
const fromGateway = { "x-gateway-secret": secret };

/** An authenticator and the headers by which it knows ada; mTLS knows her certificate. */
interface Kind {
  readonly make: (options: AuthenticationOptions) => Interceptor;
  readonly headers: Record<string, string>;
}

const kinds: Record<string, Kind> = {
  createAuthInterceptor: {
    make: (options) =>
      createAuthInterceptor({ verifyCredentials: (subject) => ({ subject }), ...options }),
    headers: bearer("ada"),
  },
  createJwtAuthInterceptor: {
    make: (options) => createJwtAuthInterceptor({ secret, ...options }),
    headers: bearer(createTestJwt({ sub: "ada" }, { key: secret })),
  },
  createGatewayAuthInterceptor: {
    make: (options) =>
      createGatewayAuthInterceptor({
        trustSource: { header: "x-gateway-secret", expectedValues: [secret] },
        headerMapping: { subject: "x-user-id" },
        ...options,
      }),
    headers: { ...fromGateway, "x-user-id": "ada" },
  },
  createSessionAuthInterceptor: {
    make: (options) => createSessionAuthInterceptor({ ...session(), ...options }),
    headers: bearer("ada"),
  },
  createMtlsAuthInterceptor: {
    make: (options) => createMtlsAuthInterceptor({ map: () => ({ subject: "ada" }), ...options }),
    headers: {},
  },
  createInternalAuthInterceptor: {
    make: (options) =>
      createInternalAuthInterceptor({
        trustSource: trust(),
        internalMethods: ["who.v1.WhoService/*"],
        ...options,
      }),
    headers: { "x-service": "ada" },
  },
};

function session(onVerify = () => {}) {
  return {
    verifySession(subject: string) {
      onVerify();
      return { subject };
    },
    mapSession: (found: { subject: string }) => found,
  };
}

function trust(onVerify = () => {}): InternalTrust {
  return {
    headers: ["x-service"],
    proof: (_, headers) => headers.get("x-service"),
    verify(subject) {
      onVerify();
      return { subject };
    },
  };
}

/** A server behind one authenticator, and two clients: ada, and somebody without a credential. */
async function start(t: TestContext, interceptor: Interceptor, headers: Record<string, string>) {
  const authority = await createTestCertificates();
  const { baseUrl } = await startWho(t, {
    tls: { ...(await authority.issue()), ca: authority.ca, clientAuth: "request" },
    interceptors: [interceptor],
  });
  const certificate = await authority.issue({ name: "ada" });
  const to = (own: object) =>
    createClient(WhoService, createTransport("gRPC h2", baseUrl, { ca: authority.ca, ...own }));
  const ada = to(certificate);
  const stranger = to({});
  return {
    ada: { ask: () => ada.ask({}, { headers }), change: () => ada.change({}, { headers }) },
    stranger: { ask: () => stranger.ask({}), change: () => stranger.change({}) },
  };
}

for (const [name, { make, headers }] of Object.entries(kinds)) {
  describe(`what every authenticator takes, ${name}`, () => {
    test("skipMethods: their calls are anonymous, the others are not", async (t) => {
      const { ada, stranger } = await start(t, make({ skipMethods: changeOnly }), headers);
      assert.equal((await ada.change()).subject, "nobody");
      assert.equal((await stranger.change()).subject, "nobody");
      assert.equal((await ada.ask()).subject, "ada");
      await assert.rejects(stranger.ask(), { code: Code.Unauthenticated });
    });

    test("propagateHeaders: the handler reads the identity", async (t) => {
      const { ada } = await start(t, make({ propagateHeaders: true }), headers);
      assert.equal((await ada.ask()).header["x-auth-subject"], "ada");
      const silent = await start(t, make({}), headers);
      assert.equal((await silent.ada.ask()).header["x-auth-subject"], undefined);
    });

    test("onFailure hears of a refused call, and of no other", async (t) => {
      const refused: string[] = [];
      const onFailure: AuthenticationOptions["onFailure"] = ({ method }) => refused.push(method);
      const { ada, stranger } = await start(t, make({ onFailure }), headers);
      await ada.ask();
      await assert.rejects(stranger.ask(), { code: Code.Unauthenticated });
      assert.deepEqual(refused, ["who.v1.WhoService/Ask"]);
    });
  });
}

type Cached = (options: CachedAuthenticationOptions, onVerify: () => void) => Interceptor;

const cached: Record<string, Cached> = {
  createSessionAuthInterceptor: (options, onVerify) =>
    createSessionAuthInterceptor({ ...session(onVerify), ...options }),
  createMtlsAuthInterceptor: (options, onVerify) =>
    createMtlsAuthInterceptor({
      map() {
        onVerify();
        return { subject: "ada" };
      },
      ...options,
    }),
  createInternalAuthInterceptor: (options, onVerify) =>
    createInternalAuthInterceptor({
      trustSource: trust(onVerify),
      internalMethods: ["who.v1.WhoService/*"],
      ...options,
    }),
};

for (const [name, make] of Object.entries(cached)) {
  test(`cache of ${name}: the same credential is verified once`, async (t) => {
    let verified = 0;
    const interceptor = make({ cache: { ttlMs: 60_000 } }, () => {
      verified++;
    });
    const { ada } = await start(t, interceptor, kinds[name]?.headers ?? {});
    for (let call = 0; call < 3; call++) assert.equal((await ada.ask()).subject, "ada");
    assert.equal(verified, 1);
  });
}
