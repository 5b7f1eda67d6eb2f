import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createClient, type Interceptor } from "@connectrpc/connect";
import {
  AUTH_HEADERS,
  createAuthInterceptor,
  createGatewayAuthInterceptor,
  createInternalAuthInterceptor,
  createJwtAuthInterceptor,
  createMtlsAuthInterceptor,
  createProtoAuthzInterceptor,
  createSessionAuthInterceptor,
  getAuthContext,
  meshIdentityTrust,
  sharedSecretTrust,
  signedTokenTrust,
} from "connectum/auth";
import { defineService } from "connectum/core";
import { createTestJwt } from "../../src/testing/identities/test-jwt.ts";
import { GuardedService } from "./gen/guarded/v1/guarded_pb.js";
import { WhoService } from "./gen/who/v1/who_pb.js";
import {
  bearer,
  doorNames,
  doorsOf,
  kinds,
  refusal,
  startWho,
  transport,
} from "./support/doors.ts";
import { who } from "./support/who.ts";

const secret = "s".repeat(32);
const skipMethods = ["who.v1.WhoService/Change"];
const internalMethods = ["who.v1.WhoService/Ask"];

/** Every authenticator, and what makes it let somebody in. */
const authenticators: Record<string, { interceptor: Interceptor; good: Record<string, string> }> = {
  generic: {
    interceptor: createAuthInterceptor({
      skipMethods,
      verifyCredentials: (token) => (token === "good" ? { subject: "ada" } : null),
    }),
    good: bearer("good"),
  },
  jwt: {
    interceptor: createJwtAuthInterceptor({ secret, skipMethods }),
    good: bearer(createTestJwt({ sub: "ada" }, { key: secret })),
  },
  session: {
    interceptor: createSessionAuthInterceptor({
      skipMethods,
      extractToken: { cookie: "sid" },
      verifySession: (token) => (token === "good" ? { user: "ada" } : null),
      mapSession: ({ user }) => ({ subject: user }),
    }),
    good: { cookie: "sid=good" },
  },
  gateway: {
    interceptor: createGatewayAuthInterceptor({
      skipMethods,
      headerMapping: { subject: "x-user-id" },
      trustSource: { header: "x-gateway-secret", expectedValues: [secret] },
    }),
    good: { "x-gateway-secret": secret, "x-user-id": "ada" },
  },
  "gateway with the default mapping": {
    interceptor: createGatewayAuthInterceptor({
      skipMethods,
      trustSource: { header: "x-gateway-secret", expectedValues: [secret] },
    }),
    good: { "x-gateway-secret": secret, "x-auth-subject": "ada" },
  },
  "shared secret": {
    interceptor: createInternalAuthInterceptor({
      internalMethods,
      trustSource: sharedSecretTrust({ secrets: { ada: secret } }),
    }),
    good: { "x-internal-secret": secret },
  },
  "signed token": {
    interceptor: createInternalAuthInterceptor({
      internalMethods,
      trustSource: signedTokenTrust({ issuers: { ada: { secret } } }),
    }),
    good: bearer(createTestJwt({ sub: "ada", iss: "ada" }, { key: secret })),
  },
};

const forgedHeaders: Record<string, string> = {
  [AUTH_HEADERS.subject]: "root",
  [AUTH_HEADERS.type]: "internal",
  [AUTH_HEADERS.name]: "Root",
  [AUTH_HEADERS.roles]: '["admin"]',
  [AUTH_HEADERS.scopes]: '["*"]',
  [AUTH_HEADERS.claims]: '{"internal":true}',
  "X-Auth-Anything": "root",
  "x-auth-": "root",
};

/** What somebody might try who believes that headers decide where a call comes from. */
const markers: Record<string, string> = {
  "x-connectum-transport": "in-process",
  "connectum-transport": "in-process",
  "connectum-peer": "in-process",
  "x-in-process": "1",
  "x-internal": "true",
  "x-forwarded-for": "127.0.0.1",
  "x-forwarded-client-cert": "URI=spiffe://mesh/admin",
  "x-user-id": "root",
  forwarded: "for=127.0.0.1",
};

describe("forged headers", () => {
  for (const [name, { interceptor, good }] of Object.entries(authenticators)) {
    test(`${name}: no identity by x-auth headers, and none of them reaches a handler`, async (t) => {
      const { client } = await startWho(t, { interceptors: [interceptor] });
      const isDefaultMapping = good[AUTH_HEADERS.subject] !== undefined;
      for (const door of doorNames) {
        const error = await refusal(
          client(door).ask({}, { headers: { ...forgedHeaders, ...markers } }),
        );
        assert.match(error.message, /^\[unauthenticated\]/, door);
        const forged = isDefaultMapping ? {} : { ...forgedHeaders };
        const admitted = await client(door).ask({}, { headers: { ...forged, ...good } });
        const skipped = await client(door).change({}, { headers: { ...forgedHeaders, ...good } });
        assert.deepEqual([admitted.subject, admitted.ambient], ["ada", "ada"], door);
        assert.deepEqual([skipped.subject, skipped.ambient], ["nobody", "nobody"], door);
        for (const { header } of [admitted, skipped]) {
          const left = Object.keys(header).filter((key) => key.startsWith("x-auth-"));
          assert.deepEqual(left, [], door);
        }
      }
    });
  }

  test("mTLS: neither headers nor being in process replace a certificate", async (t) => {
    const { client } = await startWho(t, { interceptors: [createMtlsAuthInterceptor()] });
    for (const [kind, call] of Object.entries(kinds)) {
      for (const door of doorsOf(kind)) {
        const error = await refusal(call(client(door), { ...forgedHeaders, ...markers }));
        assert.equal(error.message, "[unauthenticated] Missing credentials", `${kind} ${door}`);
      }
    }
  });

  test("x-auth headers of skipped methods are gone for health checks and the like, too", async (t) => {
    const { client } = await startWho(t, {
      interceptors: [createJwtAuthInterceptor({ secret, skipMethods: ["*"] })],
    });
    for (const [kind, call] of Object.entries(kinds)) {
      for (const door of doorsOf(kind)) {
        for (const { subject, header } of await call(client(door), forgedHeaders)) {
          assert.equal(subject, "nobody");
          const left = Object.keys(header).filter((key) => key.startsWith("x-auth-"));
          assert.deepEqual(left, [], `${kind} ${door}`);
        }
      }
    }
  });

  test("nothing from outside makes an internal identity", async (t) => {
    const services = [
      defineService(WhoService, who),
      defineService(GuardedService, {
        internal: (_, context) => ({ subject: getAuthContext(context)?.subject }),
      }),
    ];
    const started = await startWho(t, {
      services,
      interceptors: [
        createJwtAuthInterceptor({ secret, skipMethods: ["guarded.v1.GuardedService/Internal"] }),
        createInternalAuthInterceptor({
          trustSource: meshIdentityTrust({ allow: ["spiffe://mesh/*"], sidecars: ["10.9.9.9"] }),
        }),
        createProtoAuthzInterceptor({ defaultPolicy: "allow" }),
      ],
    });
    const token = createTestJwt(
      { sub: "spiffe://mesh/admin", type: "internal", internal: true, iss: "ada" },
      { key: secret },
    );
    for (const door of doorNames) {
      const client = createClient(GuardedService, transport(started, door));
      const headers = { ...forgedHeaders, ...markers, ...bearer(token) };
      const error = await refusal(client.internal({}, { headers }));
      assert.equal(error.message, "[unauthenticated] Missing credentials", door);
    }
  });
});
