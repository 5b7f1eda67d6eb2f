import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { getAuthContext } from "connectum/auth";
import {
  createMockAuthContext,
  createTestJwt,
  generateTestKeypair,
  startTestJwksServer,
  withAuthContext,
} from "connectum/testing";
import { createRemoteJWKSet, importSPKI, jwtVerify } from "jose";

describe("createMockAuthContext and withAuthContext", () => {
  test("a complete, frozen identity, changed where asked", () => {
    assert.deepEqual(createMockAuthContext({ roles: ["admin"] }), {
      subject: "test-user",
      type: "test",
      roles: ["admin"],
      scopes: [],
      claims: {},
    });
    assert.throws(() => Object.assign(createMockAuthContext(), { subject: "x" }), TypeError);
  });

  test("the identity is there in the function, across awaits, and gone after it", async () => {
    const subject = await withAuthContext({ subject: "ada" }, async () => {
      await new Promise((resolve) => setImmediate(resolve));
      return getAuthContext()?.subject;
    });
    assert.equal(subject, "ada");
    assert.equal(getAuthContext(), undefined);
  });
});

describe("createTestJwt, generateTestKeypair and startTestJwksServer", () => {
  for (const algorithm of ["RS256", "PS512", "ES256", "ES512"] as const) {
    test(`jose verifies ${algorithm}`, async () => {
      const pair = generateTestKeypair({ algorithm, kid: "k" });
      const token = createTestJwt({ scope: "a" }, { key: pair });
      const key = await importSPKI(pair.publicKey, algorithm);
      const { payload, protectedHeader } = await jwtVerify(token, key);
      assert.equal(payload.sub, "test-user");
      assert.equal(payload.scope, "a");
      assert.equal((payload.exp ?? 0) - (payload.iat ?? 0), 3600);
      assert.deepEqual([protectedHeader.alg, protectedHeader.kid], [algorithm, "k"]);
    });
  }

  test("a secret signs HS256; a token can be expired or endless", async () => {
    const secret = "s".repeat(32);
    const key = new TextEncoder().encode(secret);
    const verify = (token: string) => jwtVerify(token, key).then(({ payload }) => payload.exp);
    assert.ok(await verify(createTestJwt({}, { key: secret })));
    await assert.rejects(verify(createTestJwt({}, { key: secret, expiresInSec: -1 })));
    assert.equal(await verify(createTestJwt({}, { key: key, expiresInSec: null })), undefined);
  });

  test("algorithm and kid are named in the header, also those of a key that is only text", async () => {
    const { privateKey, publicKey, kid } = generateTestKeypair({ algorithm: "ES384", kid: "own" });
    assert.equal(kid, "own");
    const token = createTestJwt({}, { key: privateKey, algorithm: "ES384", kid: "of-text" });
    const { protectedHeader } = await jwtVerify(token, await importSPKI(publicKey, "ES384"));
    assert.deepEqual([protectedHeader.alg, protectedHeader.kid], ["ES384", "of-text"]);
  });

  test("the server publishes, rotates and fails on command", async (t) => {
    const [first, second] = [1, 2].map(() => generateTestKeypair({ algorithm: "ES256" }));
    assert.ok(first && second);
    const issuer = await startTestJwksServer([first]);
    t.after(() => issuer.close());
    const verify = (key: typeof first) => {
      const keys = createRemoteJWKSet(new URL(issuer.jwksUri));
      return jwtVerify(createTestJwt({}, { key }), keys);
    };
    await verify(first);
    await assert.rejects(verify(second));
    issuer.publish([second]);
    await verify(second);
    assert.equal(issuer.requests, 3);
    issuer.fail({ status: 503 });
    await assert.rejects(verify(second), /200 OK/);
    issuer.fail(undefined);
    await verify(second);
  });

  test("an unknown algorithm is refused", () => {
    assert.throws(() => generateTestKeypair({ algorithm: "HS256" as "RS256" }), {
      code: "INVALID_OPTION",
    });
  });
});
