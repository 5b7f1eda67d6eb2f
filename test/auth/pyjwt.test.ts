import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { resolve } from "node:path";
import { createInterface } from "node:readline";
import { before, describe, test } from "node:test";
import { createJwtAuthInterceptor, type JwtAuthOptions } from "connectum/auth";
import { startTestJwksServer } from "../../src/testing/identities/test-jwks-server.ts";
import { missing } from "../interop/tools.ts";
import { asker, FAILED } from "./support/ask.ts";

interface Issued {
  readonly token: string;
  readonly jwk?: Record<string, string>;
  readonly secret?: string;
}

const algorithms = ["HS256", "HS384", "HS512", "RS256", "PS384", "ES256", "ES384", "ES512"];
const python = resolve(".tools/venv/bin/python");
const skip = missing(python, ["-c", "import jwt, cryptography"]);

describe("tokens of PyJWT", { skip }, () => {
  const issued = new Map<string, Issued>();
  const hour = Math.floor(Date.now() / 1000) + 3600;

  before(async () => {
    const child = spawn(python, ["test/auth/support/pyjwt.py"], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    for (const alg of algorithms) {
      const claims = { sub: "ada", aud: "payments", iss: "python", exp: hour, scope: "a b" };
      child.stdin.write(`${JSON.stringify({ alg, kid: alg, claims })}\n`);
    }
    child.stdin.end();
    let index = 0;
    for await (const line of createInterface(child.stdout)) {
      issued.set(algorithms[index++] as string, JSON.parse(line));
    }
  });

  for (const alg of algorithms) {
    test(`${alg} by its key, and by nobody else's`, async () => {
      const { token, jwk, secret } = issued.get(alg) as Issued;
      const source = secret ? { secret: Buffer.from(secret, "base64") } : { publicKey: jwk };
      const rules = { issuer: "python", audience: "payments", algorithms: [alg] };
      const options = { ...source, ...rules } as JwtAuthOptions;
      assert.equal(await asker(createJwtAuthInterceptor(options))(token), "ada");
      const wrongAudience = createJwtAuthInterceptor({ ...options, audience: "mail" });
      assert.equal(await asker(wrongAudience)(token), FAILED);
      const foreign = issued.get(alg === "RS256" ? "PS384" : "RS256") as Issued;
      const ask = asker(createJwtAuthInterceptor({ publicKey: foreign.jwk }));
      assert.equal(await ask(token), FAILED);
    });
  }

  test("by a key set of all its public keys", async (t) => {
    const published = [...issued.values()].flatMap(({ jwk }) => (jwk ? [{ jwk }] : []));
    assert.equal(published.length, 5);
    const issuer = await startTestJwksServer(published);
    t.after(() => issuer.close());
    const ask = asker(createJwtAuthInterceptor({ jwksUri: issuer.jwksUri, audience: "payments" }));
    for (const [alg, { token }] of issued) {
      assert.equal(await ask(token), alg.startsWith("HS") ? FAILED : "ada", alg);
    }
  });
});
