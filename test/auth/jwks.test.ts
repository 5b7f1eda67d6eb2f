import assert from "node:assert/strict";
import { generateKeyPairSync, type JsonWebKey, type KeyObject } from "node:crypto";
import { createServer, Agent as HttpsAgent } from "node:https";
import type { AddressInfo } from "node:net";
import { createServer as createTcpServer, type Socket } from "node:net";
import { before, describe, type TestContext, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { inspect } from "node:util";
import { createJwtAuthInterceptor, type JwtAuthOptions } from "connectum/auth";
import type { ConnectumError } from "connectum/core";
import { createTestCertificates, type JwksFault, startTestJwksServer } from "connectum/testing";
import { SignJWT } from "jose";
import { asker, FAILED, UNAVAILABLE } from "./support/ask.ts";

interface Key {
  readonly kid: string;
  readonly alg: string;
  readonly privateKey: KeyObject;
  readonly jwk: JsonWebKey;
}

const keys = new Map<string, Key>();

/**
 * Keys are named once and kept, because RSA takes its time; unlike those of `generateTestKeypair()` they may
 * come without `alg`.
 */
function key(kid: string, alg = "RS256", withAlg = true): Key {
  const present = keys.get(kid);
  if (present) return present;
  const pair = alg.startsWith("ES")
    ? generateKeyPairSync("ec", { namedCurve: `P-${alg.slice(2).replace("512", "521")}` })
    : generateKeyPairSync("rsa", { modulusLength: 2048 });
  const jwk = { ...pair.publicKey.export({ format: "jwk" }), kid, ...(withAlg ? { alg } : {}) };
  const made = { kid, alg, privateKey: pair.privateKey, jwk };
  keys.set(kid, made);
  return made;
}

function sign({ kid, alg, privateKey }: Key, header: object = {}): Promise<string> {
  return new SignJWT({ sub: kid, iss: "a" })
    .setProtectedHeader({ alg, kid, ...header })
    .sign(privateKey);
}

async function start(t: TestContext, published: Key[], options: Partial<JwtAuthOptions> = {}) {
  const issuer = await startTestJwksServer(published);
  t.after(() => issuer.close());
  const failures: Array<{ reason: string; error?: unknown }> = [];
  const ask = asker(
    createJwtAuthInterceptor({
      jwksUri: issuer.jwksUri,
      jwks: { cooldownMs: 0 },
      onFailure: (failure) => failures.push(failure),
      ...options,
    }),
  );
  return { issuer, ask, failures };
}

before(() => {
  for (const kid of ["one", "two", "three"]) key(kid);
});

describe("jwksUri", () => {
  test("fetches once for a burst of first calls, and then never for known keys", async (t) => {
    const { issuer, ask } = await start(t, [key("one"), key("two")]);
    assert.equal(issuer.requests, 0, "nothing before the first token");
    const tokens = await Promise.all([sign(key("one")), sign(key("two"))]);
    const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => ask(tokens[i % 2])));
    assert.deepEqual(new Set(answers), new Set(["one", "two"]));
    assert.equal(issuer.requests, 1);
  });

  test("one fetch for a burst of unknown kids; none again before the cooldown is over", async (t) => {
    let now = 1_000_000;
    t.mock.method(performance, "now", () => now);
    const { issuer, ask, failures } = await start(t, [key("one")], { jwks: { cooldownMs: 5_000 } });
    assert.equal(await ask(await sign(key("one"))), "one");
    now += 5_000;
    const tokens = await Promise.all(
      Array.from({ length: 100 }, (_, index) => sign(key("two"), { kid: `guess-${index}` })),
    );
    const answers = await Promise.all(tokens.map((token) => ask(token)));
    assert.deepEqual(new Set(answers), new Set([FAILED]));
    assert.equal(issuer.requests, 2);
    assert.match(failures[0]?.reason ?? "", /^no key with id "guess-\d+"$/);
    assert.equal(await ask(tokens[0]), FAILED);
    assert.equal(issuer.requests, 2);
    now += 5_000;
    assert.equal(await ask(tokens[0]), FAILED);
    assert.equal(issuer.requests, 3);
  });

  test("keys rotate under load without a call refused", async (t) => {
    const { issuer, ask } = await start(t, [key("one")]);
    const names = ["one", "two", "three"];
    const answers: string[] = [];
    let signer = key("one");
    const clients = Array.from({ length: 8 }, async () => {
      for (let call = 0; call < 60; call++) answers.push(await ask(await sign(signer)));
    });
    for (const name of names) {
      issuer.publish(names.slice(Math.max(0, names.indexOf(name) - 1)).map((kid) => key(kid)));
      signer = key(name);
      await Promise.all([
        ask(await sign(signer)),
        new Promise((resolve) => setTimeout(resolve, 5)),
      ]);
    }
    await Promise.all(clients);
    assert.equal(answers.length, 480);
    assert.deepEqual(
      answers.filter((answer) => !names.includes(answer)),
      [],
    );
  });

  test("a key that the issuer has withdrawn stops working when the set is fetched anew", async (t) => {
    let now = 1_000_000;
    t.mock.method(performance, "now", () => now);
    const { issuer, ask } = await start(t, [key("one"), key("two")], {
      jwks: { maxAgeMs: 60_000, cooldownMs: 0 },
    });
    const token = await sign(key("one"));
    assert.equal(await ask(token), "one");
    issuer.publish([key("two")]);
    now += 59_999;
    assert.equal(await ask(token), "one");
    assert.equal(issuer.requests, 1);
    now += 1;
    assert.equal(await ask(token), "one", "known keys do while the set is fetched");
    let answer = "one";
    for (let call = 0; call < 1_000 && answer === "one"; call++) {
      await turn();
      answer = await ask(token);
    }
    assert.equal(answer, FAILED);
  });

  const faults: Record<string, JwksFault> = {
    "status 500": { status: 500 },
    "a redirect": { status: 302 },
    garbage: { body: "<html>maintenance</html>" },
    "JSON without keys": { body: "{}" },
    null: { body: "null" },
    "keys that are none": { body: '{"keys":[7]}' },
    "an empty set": { body: '{"keys":[]}' },
    "an endless answer": { body: "x".repeat(1_100_000) },
    silence: { delayMs: Number.POSITIVE_INFINITY },
  };
  for (const [name, fault] of Object.entries(faults)) {
    test(`${name}: unavailable without keys; known keys keep working; then it heals`, async (t) => {
      let now = 1_000_000;
      t.mock.method(performance, "now", () => now);
      const jwks = { cooldownMs: 0, timeoutMs: 400, maxAgeMs: 1_000 };
      const { issuer, ask } = await start(t, [key("one")], { jwks });
      const token = await sign(key("one"));
      issuer.fail(fault);
      assert.equal(await ask(token), UNAVAILABLE);
      issuer.fail(undefined);
      assert.equal(await ask(token), "one");
      issuer.fail(fault);
      now += 10_000;
      assert.equal(await ask(token), "one");
      assert.equal(await ask(await sign(key("two"))), UNAVAILABLE);
      assert.equal(await ask(token), "one");
      issuer.fail(undefined);
      issuer.publish([key("one"), key("two")]);
      // A fetch that began during the outage may have to end first.
      await ask(await sign(key("two")));
      assert.equal(await ask(await sign(key("two"))), "two");
    });
  }

  test("a fetch ends after timeoutMs, and the log says so", async (t) => {
    const { issuer, ask, failures } = await start(t, [key("one")], { jwks: { timeoutMs: 50 } });
    issuer.fail({ delayMs: Number.POSITIVE_INFINITY });
    assert.equal(await ask(await sign(key("one"))), UNAVAILABLE);
    assert.match(inspect(failures[0]?.error), /no complete answer within 50 ms/);
  });

  test("a refused connection is unavailable, at once while the cooldown lasts", async (t) => {
    const { issuer, ask } = await start(t, [key("one")], { jwks: { cooldownMs: 60_000 } });
    await issuer.close();
    const token = await sign(key("one"));
    assert.equal(await ask(token), UNAVAILABLE);
    assert.equal(await ask(token), UNAVAILABLE);
  });

  test("an answer that trickles is given up after timeoutMs as a whole", async (t) => {
    const sockets = new Set<Socket>();
    const timers = new Set<NodeJS.Timeout>();
    const server = createTcpServer((socket) => {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n{"keys":[');
      timers.add(setInterval(() => socket.write(" "), 20));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    t.after(() => {
      for (const timer of timers) clearInterval(timer);
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    const jwksUri = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const ask = asker(createJwtAuthInterceptor({ jwksUri, jwks: { timeoutMs: 200 } }));
    assert.equal(await ask(await sign(key("one"))), UNAVAILABLE);
  });

  test("over HTTPS, with an authority of one's own", async (t) => {
    const authority = await createTestCertificates();
    const pair = await authority.issue();
    const server = createServer(pair, (_, response) =>
      response.end(JSON.stringify({ keys: [key("one").jwk] })),
    );
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    t.after(() => server.close());
    const jwksUri = `https://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`;
    const token = await sign(key("one"));
    const agent = new HttpsAgent({ ca: authority.ca });
    t.after(() => agent.destroy());
    assert.equal(await asker(createJwtAuthInterceptor({ jwksUri, jwks: { agent } }))(token), "one");
    assert.equal(await asker(createJwtAuthInterceptor({ jwksUri }))(token), UNAVAILABLE);
  });

  test("algorithms come from the key's alg, else from its type and curve", async (t) => {
    const any = key("any-rsa", "RS256", false);
    const p256 = key("p256", "ES256", false);
    const { ask } = await start(t, [key("one"), any, p256]);
    for (const alg of ["RS256", "RS384", "PS512"]) {
      assert.equal(await ask(await sign({ ...any, alg })), "any-rsa");
    }
    assert.equal(await ask(await sign(p256)), "p256");
    assert.equal(
      await ask(await sign({ ...key("one"), alg: "RS512" })),
      FAILED,
      "its alg is RS256",
    );
  });

  test("the option algorithms narrows the keys", async (t) => {
    const p256 = key("p256", "ES256", false);
    const { ask } = await start(t, [key("one"), p256], { algorithms: ["ES256"] });
    assert.equal(await ask(await sign(p256)), "p256");
    assert.equal(await ask(await sign(key("one"))), FAILED);
  });

  test("kid tricks: paths, prototypes, SQL, types, another key's id", async (t) => {
    const { ask } = await start(t, [key("one"), key("two")]);
    const kids = [
      "../one",
      "__proto__",
      "constructor",
      "' OR 1=1 --",
      "",
      "one\0",
      "ONE",
      "/dev/null",
    ];
    for (const kid of kids) assert.equal(await ask(await sign(key("one"), { kid })), FAILED, kid);
    assert.equal(await ask(await sign(key("one"), { kid: "two" })), FAILED);
    const good = await sign(key("one"));
    for (const kid of [7, null, ["one"], { one: 1 }]) {
      const header = Buffer.from(JSON.stringify({ alg: "RS256", kid })).toString("base64url");
      assert.equal(await ask(header + good.slice(good.indexOf("."))), FAILED, JSON.stringify(kid));
    }
  });

  test("a key that the token brings itself counts for nothing", async (t) => {
    const { ask } = await start(t, [key("one")]);
    const evil = key("two");
    const other = await startTestJwksServer([evil]);
    t.after(() => other.close());
    for (const header of [
      { jwk: evil.jwk, kid: "one" },
      { jwk: evil.jwk },
      { jku: other.jwksUri, kid: "two" },
      { x5u: other.jwksUri, kid: "one" },
    ]) {
      assert.equal(await ask(await sign(evil, header)), FAILED);
    }
    assert.equal(other.requests, 0);
  });

  test("algorithm confusion: an HMAC keyed with a published key", async (t) => {
    const { ask } = await start(t, [key("any-rsa", "RS256", false)]);
    const { privateKey } = key("any-rsa");
    const { createPublicKey } = await import("node:crypto");
    const pem = createPublicKey(privateKey).export({ type: "spki", format: "pem" });
    const token = await new SignJWT({ sub: "ada" })
      .setProtectedHeader({ alg: "HS256", kid: "any-rsa" })
      .sign(Buffer.from(pem));
    assert.equal(await ask(token), FAILED);
  });

  test("a token without kid is taken if one key fits, and refused if several do", async (t) => {
    const { issuer, ask } = await start(t, [key("one"), key("p256", "ES256", false)]);
    assert.equal(await ask(await sign(key("one"), { kid: undefined })), "one");
    issuer.publish([key("one"), key("two")]);
    assert.equal(await ask(await sign(key("two"))), "two");
    assert.equal(await ask(await sign(key("one"), { kid: undefined })), FAILED);
  });

  test("oct and EdDSA keys are refused with a named error", async (t) => {
    const ed = generateKeyPairSync("ed25519");
    const edKey = { jwk: { ...ed.publicKey.export({ format: "jwk" }), kid: "ed" } };
    const octKey = { jwk: { kty: "oct", k: "c2VjcmV0", kid: "shared", alg: "HS256" } };
    const { ask, failures } = await start(t, [key("one"), edKey as never, octKey as never]);
    assert.equal(await ask(await sign(key("one"))), "one");
    const edToken = await new SignJWT({ sub: "x" })
      .setProtectedHeader({ alg: "EdDSA", kid: "ed" })
      .sign(ed.privateKey);
    const octToken = await new SignJWT({ sub: "x" })
      .setProtectedHeader({ alg: "HS256", kid: "shared" })
      .sign(Buffer.from("secret"));
    for (const token of [edToken, octToken]) assert.equal(await ask(token), FAILED);
    const codes = failures.map(({ error }) => (error as ConnectumError).code);
    assert.deepEqual(codes, ["UNSUPPORTED_KEY", "UNSUPPORTED_KEY"]);
    assert.match(failures[0]?.reason ?? "", /EdDSA/);
    assert.match(failures[1]?.reason ?? "", /oct/);
  });

  test("a set of nothing but unusable keys is refused, not unavailable", async (t) => {
    const octKey = { jwk: { kty: "oct", k: "c2VjcmV0", kid: "one" } };
    const { ask } = await start(t, [octKey as never]);
    assert.equal(await ask(await sign(key("one"))), FAILED);
  });

  test("the keys of one issuer never serve another", async (t) => {
    const a = await start(t, [key("one")], { issuer: "a" });
    const b = await start(t, [key("two")], { issuer: "b" });
    const token = await sign(key("one"));
    assert.equal(await a.ask(token), "one");
    assert.equal(await b.ask(token), FAILED);
    // Same key id, other key: what one interceptor has learnt is unknown to the other.
    assert.equal(await a.ask(await sign({ ...key("two"), kid: "one" })), FAILED);
  });
});
