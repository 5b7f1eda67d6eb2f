import assert from "node:assert/strict";
import { createSecretKey, generateKeyPairSync, type KeyObject, randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import { createJwtAuthInterceptor, getAuthContext, type JwtAuthOptions } from "connectum/auth";
import { createFakeClock } from "connectum/testing";
import { CompactSign, exportSPKI, generateKeyPair, SignJWT, UnsecuredJWT } from "jose";
import { asker, FAILED, MISSING } from "./support/ask.ts";

const secret = randomBytes(64);
const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const pem = rsa.publicKey.export({ type: "spki", format: "pem" }) as string;
const now = () => Math.floor(Date.now() / 1000);

type Claims = Record<string, unknown>;

/** By jose, not by the library that verifies, which `createTestJwt()` uses. */
function sign(claims: Claims, alg = "HS256", key: KeyObject | Uint8Array = secret) {
  return new SignJWT({ sub: "ada", ...claims }).setProtectedHeader({ alg }).sign(key);
}

function reasons(options: JwtAuthOptions) {
  const list: string[] = [];
  const onFailure = ({ reason }: { reason: string }) => void list.push(reason);
  return { list, ask: asker(createJwtAuthInterceptor({ ...options, onFailure })) };
}

describe("vectors of the RFCs", () => {
  // RFC 7515, appendix A.1, which is also the example of RFC 7519, section 3.1.
  const key = Buffer.from(
    "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow",
    "base64url",
  );
  const token =
    "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." +
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ." +
    "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
  const interceptor = () =>
    createJwtAuthInterceptor({ secret: key, claimsMapping: { subject: "iss" } });

  test("RFC 7519, 3.1: good until its exp, and not a second longer", async (t) => {
    const clock = createFakeClock({ t, now: 1_300_819_379_000 });
    const ask = asker(interceptor());
    assert.equal(await ask(token), "joe");
    await clock.advance(1_000);
    assert.equal(await ask(token), FAILED);
  });

  test("RFC 7515, A.2 (RS256) and A.3 (ES256) by the keys of the RFC", async (t) => {
    createFakeClock({ t, now: 1_300_819_379_000 });
    const payload =
      "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    const rs256 = {
      kty: "RSA",
      n:
        "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4Ql" +
        "L-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUs" +
        "LA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoud" +
        "F8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ",
      e: "AQAB",
    };
    const rsToken =
      `eyJhbGciOiJSUzI1NiJ9.${payload}.` +
      "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujG" +
      "bds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K" +
      "0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6" +
      "LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
    const es256 = {
      kty: "EC",
      crv: "P-256",
      x: "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
      y: "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    };
    const esToken =
      `eyJhbGciOiJFUzI1NiJ9.${payload}.` +
      "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
    for (const [publicKey, good] of [
      [rs256, rsToken],
      [es256, esToken],
    ] as const) {
      const claimsMapping = { subject: "iss" };
      const ask = asker(createJwtAuthInterceptor({ publicKey, claimsMapping }));
      assert.equal(await ask(good), "joe");
      const at = good.length - 20;
      const other = good[at] === "A" ? "B" : "A";
      assert.equal(await ask(good.slice(0, at) + other + good.slice(at + 1)), FAILED);
    }
  });
});

describe("createJwtAuthInterceptor", () => {
  for (const alg of ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"]) {
    test(`takes ${alg} of jose with an RSA key`, async () => {
      const ask = asker(createJwtAuthInterceptor({ publicKey: pem }));
      assert.equal(await ask(await sign({}, alg, rsa.privateKey)), "ada");
    });
  }

  for (const alg of ["ES256", "ES384", "ES512"]) {
    test(`takes ${alg} of jose with its own curve, and no other`, async () => {
      const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
      const ask = asker(createJwtAuthInterceptor({ publicKey: await exportSPKI(publicKey) }));
      const token = await new SignJWT({ sub: "ada" }).setProtectedHeader({ alg }).sign(privateKey);
      assert.equal(await ask(token), "ada");
      assert.equal(await ask(await sign({}, "RS256", rsa.privateKey)), FAILED);
    });
  }

  test("takes HS256 with a secret; the longer hashes only when asked for", async () => {
    const byDefault = asker(createJwtAuthInterceptor({ secret }));
    assert.equal(await byDefault(await sign({}, "HS256")), "ada");
    assert.equal(await byDefault(await sign({}, "HS512")), FAILED);
    const hs512 = asker(createJwtAuthInterceptor({ secret, algorithms: ["HS512"] }));
    assert.equal(await hs512(await sign({}, "HS512")), "ada");
    assert.equal(await hs512(await sign({}, "HS256")), FAILED);
  });

  test("algorithm confusion: an HMAC keyed with the public key is refused, whatever form it has", async () => {
    const { list, ask } = reasons({ publicKey: pem });
    for (const key of [pem, pem.trim(), `${pem}\n`]) {
      for (const alg of ["HS256", "HS384", "HS512"]) {
        assert.equal(await ask(await sign({}, alg, Buffer.from(key))), FAILED);
      }
    }
    assert.deepEqual(new Set(list), new Set(["invalid algorithm"]));
  });

  test("none is refused in every spelling, with and without a signature", async () => {
    const { ask } = reasons({ publicKey: pem });
    const hmac = asker(createJwtAuthInterceptor({ secret }));
    const unsecured = new UnsecuredJWT({ sub: "ada" }).encode();
    const [, payload] = unsecured.split(".");
    const tokens = [unsecured, `${unsecured}c2ln`];
    for (const alg of ["none", "None", "NONE", "nOnE", "", null, [], {}, 0]) {
      const header = Buffer.from(JSON.stringify({ alg, typ: "JWT" })).toString("base64url");
      tokens.push(`${header}.${payload}.`, `${header}.${payload}.c2ln`);
    }
    for (const token of tokens) {
      assert.equal(await ask(token), FAILED, token);
      assert.equal(await hmac(token), FAILED, token);
    }
  });

  test("garbage is refused without a crash", async () => {
    const ask = asker(createJwtAuthInterceptor({ secret }));
    const good = await sign({});
    const [header, payload, signature] = good.split(".");
    const garbage = [
      "x",
      "..",
      ".".repeat(1000),
      `${header}.${payload}`,
      `${header}.${payload}.`,
      `${good}.${signature}`,
      `${header}..${signature}`,
      `${payload}.${header}.${signature}`,
      `${good}=`,
      good.slice(0, -1),
      Buffer.from("null").toString("base64url") + good.slice(good.indexOf(".")),
      Buffer.from('{"alg":"HS256"').toString("base64url") + good.slice(good.indexOf(".")),
    ];
    for (const token of garbage) assert.equal(await ask(token), FAILED, token.slice(0, 80));
  });

  test("a payload that is no JSON object is refused though its signature is good", async () => {
    const { list, ask } = reasons({ secret });
    for (const payload of ["7", '"ada"', "null", '["ada"]', "ada"]) {
      const bytes = new TextEncoder().encode(payload);
      const token = await new CompactSign(bytes).setProtectedHeader({ alg: "HS256" }).sign(secret);
      assert.equal(await ask(token), FAILED, payload);
    }
    assert.equal(list.length, 5);
  });

  test("a token with critical extensions is refused: RFC 7515, 4.1.11", async () => {
    const { list, ask } = reasons({ secret });
    const token = await new SignJWT({ sub: "ada" })
      .setProtectedHeader({ alg: "HS256", crit: ["exp-sig"], "exp-sig": 1 })
      .sign(secret, { crit: { "exp-sig": true } });
    assert.equal(await ask(token), FAILED);
    assert.deepEqual(list, ["the token has critical extensions"]);
  });

  test("expired, not yet valid, and the clock tolerance for both", async () => {
    const strict = reasons({ secret });
    const lax = asker(createJwtAuthInterceptor({ secret, clockToleranceSec: 60 }));
    const expired = await sign({ exp: now() - 30 });
    const early = await sign({ nbf: now() + 30 });
    assert.equal(await strict.ask(expired), FAILED);
    assert.equal(await strict.ask(early), FAILED);
    assert.deepEqual(strict.list, ["jwt expired", "jwt not active"]);
    assert.equal(await lax(expired), "ada");
    assert.equal(await lax(early), "ada");
    assert.equal(await lax(await sign({ exp: now() - 90 })), FAILED);
    assert.equal(await strict.ask(await sign({ exp: "soon" })), FAILED);
    assert.equal(await strict.ask(await sign({ nbf: "later" })), FAILED);
  });

  test("issuer and audience, single and one of several", async () => {
    const { list, ask } = reasons({
      secret,
      issuer: ["https://a.example", "https://b.example"],
      audience: "payments",
    });
    const claims = { iss: "https://b.example", aud: ["mail", "payments"] };
    assert.equal(await ask(await sign(claims)), "ada");
    const wrong: Claims[] = [
      { ...claims, iss: "https://c.example" },
      { ...claims, iss: "https://a.example/" },
      { ...claims, iss: undefined },
      { ...claims, iss: ["https://a.example"] },
      { ...claims, aud: "mail" },
      { ...claims, aud: undefined },
      { ...claims, aud: "Payments" },
    ];
    for (const each of wrong) assert.equal(await ask(await sign(each)), FAILED);
    assert.equal(list.filter((reason) => reason.startsWith("jwt issuer invalid")).length, 4);
    assert.equal(list.filter((reason) => reason.startsWith("jwt audience invalid")).length, 3);
  });

  test("maxTokenAge counts from iat, needs it, and no token comes from the future", async () => {
    for (const maxTokenAge of [900, "15m"]) {
      const ask = asker(createJwtAuthInterceptor({ secret, maxTokenAge }));
      assert.equal(await ask(await sign({ iat: now() - 800 })), "ada");
      assert.equal(await ask(await sign({ iat: now() - 901 })), FAILED);
      assert.equal(await ask(await sign({})), FAILED);
      assert.equal(await ask(await sign({ iat: now() + 100_000 })), FAILED);
    }
  });

  test("an oversized token is refused unread", async () => {
    const { list, ask } = reasons({ secret });
    assert.equal(await ask(await sign({ filler: "x".repeat(20_000) })), FAILED);
    assert.match(list[0] ?? "", /^a token of \d+ characters, 16384 at most$/);
    const small = asker(createJwtAuthInterceptor({ secret, maxTokenLength: 64 }));
    assert.equal(await small(await sign({})), FAILED);
  });

  test("claimsMapping: dotted paths, names with dots, scopes as text or list", async () => {
    let seen: ReturnType<typeof getAuthContext>;
    const ask = asker(
      createJwtAuthInterceptor({
        secret,
        claimsMapping: {
          subject: "user.id",
          name: "user.name",
          roles: "https://shop.example/roles",
          scopes: "scp",
        },
      }),
      (next) => (request) => {
        seen = getAuthContext(request);
        return next(request);
      },
    );
    const exp = now() + 60;
    const claims = {
      user: { id: 42, name: "Ada" },
      "https://shop.example/roles": ["admin"],
      scp: ["read", "write"],
      exp,
    };
    assert.equal(await ask(await sign(claims)), "42");
    assert.deepEqual(
      { ...seen, claims: undefined },
      {
        subject: "42",
        name: "Ada",
        roles: ["admin"],
        scopes: ["read", "write"],
        claims: undefined,
        type: "jwt",
        expiresAt: new Date(exp * 1000),
      },
    );
    assert.deepEqual(seen?.claims, { sub: "ada", ...claims });
    assert.equal(await ask(await sign({ ...claims, scp: "read  write" })), "42");
    assert.deepEqual(seen?.scopes, ["read", "write"]);
    assert.ok(Object.isFrozen(seen?.claims.user), "calls may share it");
  });

  test("claims that would change who somebody is are refused, and prototypes are no claims", async () => {
    const ask = asker(createJwtAuthInterceptor({ secret }));
    const wrong: Claims[] = [
      { sub: undefined },
      { sub: "" },
      { sub: null },
      { sub: { id: 1 } },
      { sub: 1.5 },
      { roles: [{ name: "admin" }] },
      { roles: { admin: true } },
      { scope: 7 },
    ];
    for (const claims of wrong) assert.equal(await ask(await sign(claims)), FAILED);
    const inherited = asker(
      createJwtAuthInterceptor({ secret, claimsMapping: { subject: "constructor.name" } }),
    );
    assert.equal(await inherited(await sign({})), FAILED);
  });

  test("extractToken finds the token elsewhere", async () => {
    const extractToken: JwtAuthOptions["extractToken"] = ({ header }) => header.get("x-token");
    const ask = asker(createJwtAuthInterceptor({ secret, extractToken }));
    const token = await sign({});
    assert.equal(await ask(undefined, { "x-token": token }), "ada");
    assert.equal(await ask(token), MISSING);
  });

  test("a verified token is cached until it expires", async (t) => {
    const clock = createFakeClock({ t, now: Date.now() });
    const seen: unknown[] = [];
    const ask = asker(
      createJwtAuthInterceptor({ publicKey: pem, cache: {} }),
      (next) => (request) => {
        seen.push(getAuthContext(request));
        return next(request);
      },
    );
    const token = await sign({ exp: now() + 10 }, "RS256", rsa.privateKey);
    assert.equal(await ask(token), "ada");
    assert.equal(await ask(token), "ada");
    assert.equal(seen[0], seen[1], "the very identity of the first call");
    await clock.advance(10_000);
    assert.equal(await ask(token), FAILED);
  });
});

describe("key options of createJwtAuthInterceptor", () => {
  const small = generateKeyPairSync("rsa", { modulusLength: 1024 }).publicKey;
  const ed = generateKeyPairSync("ed25519").publicKey;
  const k256 = generateKeyPairSync("ec", { namedCurve: "secp256k1" }).publicKey;
  const p256 = generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey;
  const wrong: Array<[string, object, RegExp, string?]> = [
    ["no key", {}, /exactly one of .* got none/],
    ["two keys", { secret, publicKey: pem }, /got publicKey and secret/],
    ["a key set and a secret", { secret, jwksUri: "https://a.example" }, /jwksUri and secret/],
    ["a short secret", { secret: "x".repeat(31) }, /at least 32 bytes for HS256, got 31/],
    [
      "a secret short for its hash",
      { secret: "x".repeat(63), algorithms: ["HS256", "HS512"] },
      /64/,
    ],
    ["a PEM as a secret", { secret: pem }, /secret cannot be a PEM; pass it as publicKey/],
    ["a public KeyObject as a secret", { secret: rsa.publicKey }, /a public key/],
    [
      "a private PEM",
      { publicKey: rsa.privateKey.export({ type: "pkcs8", format: "pem" }) },
      /private/,
    ],
    ["a private KeyObject", { publicKey: rsa.privateKey }, /private/],
    ["a private JWK", { publicKey: rsa.privateKey.export({ format: "jwk" }) }, /private JWK/],
    ["a secret KeyObject as publicKey", { publicKey: createSecretKey(secret) }, /a secret key/],
    ["text that is no key", { publicKey: "hello" }, /PEM public key or certificate/],
    ["none", { secret, algorithms: ["none"] }, /some of HS256, HS384, HS512 .* got "none"/],
    [
      "HMAC and signatures mixed",
      { publicKey: pem, algorithms: ["RS256", "HS256"] },
      /got "HS256"/,
    ],
    ["another curve's algorithm", { publicKey: p256, algorithms: ["ES384"] }, /some of ES256/],
    ["no algorithms", { secret, algorithms: [] }, /algorithms/],
    ["HMAC for a key set", { jwksUri: "https://a.example", algorithms: ["HS256"] }, /got "HS256"/],
    ["no URL", { jwksUri: "issuer.example/jwks" }, /jwksUri must be a URL/],
    ["a file", { jwksUri: "file:///etc/passwd" }, /jwksUri must be a URL/],
    ["jwks without a key set", { secret, jwks: {} }, /jwks only with jwksUri/],
    [
      "an algorithm that is no list",
      { secret, algorithms: "HS256" },
      /algorithms must be an array/,
    ],
    ["a wrong age", { secret, maxTokenAge: "60" }, /maxTokenAge/],
    ["no age", { secret, maxTokenAge: 0 }, /maxTokenAge/],
    ["an empty audience", { secret, audience: [] }, /audience/],
    ["an empty issuer", { secret, issuer: "" }, /issuer/],
    ["a negative tolerance", { secret, clockToleranceSec: -1 }, /clockToleranceSec/],
    ["a wrong mapping", { secret, claimsMapping: { role: "x" } }, /did you mean "roles"/],
    ["an EdDSA key", { publicKey: ed }, /EdDSA/, "UNSUPPORTED_KEY"],
    ["secp256k1", { publicKey: k256 }, /secp256k1/, "UNSUPPORTED_KEY"],
    ["1024 bits", { publicKey: small }, /2048/, "UNSUPPORTED_KEY"],
    ["an oct JWK", { publicKey: { kty: "oct", k: "eA" } }, /oct/, "UNSUPPORTED_KEY"],
  ];
  for (const [name, options, message, code = "INVALID_OPTION"] of wrong) {
    test(`refused: ${name}`, () => {
      assert.throws(() => createJwtAuthInterceptor(options as JwtAuthOptions), { code, message });
    });
  }
});
