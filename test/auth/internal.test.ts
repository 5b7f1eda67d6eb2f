import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createClient } from "@connectrpc/connect";
import {
  createInternalAuthInterceptor,
  createJwtAuthInterceptor,
  type InternalTrust,
  meshIdentityTrust,
  sharedSecretTrust,
  signedTokenTrust,
} from "connectum/auth";
import { createTestCertificates } from "connectum/testing";
import { SignJWT } from "jose";
import { createTestJwt } from "../../src/testing/identities/test-jwt.ts";
import { generateTestKeypair } from "../../src/testing/identities/test-keypair.ts";
import { createTransport } from "../support/transports.ts";
import { WhoService } from "./gen/who/v1/who_pb.js";
import { asker, FAILED, MISSING } from "./support/ask.ts";
import { bearer, startWho } from "./support/doors.ts";

const internalMethods = ["who.v1.WhoService/Ask"];
const guard = (trustSource: InternalTrust) =>
  createInternalAuthInterceptor({ trustSource, internalMethods });

describe("sharedSecretTrust", () => {
  const orders = "o".repeat(32);
  const mail = ["m".repeat(32), "n".repeat(40)];
  const trust = () => sharedSecretTrust({ secrets: { orders, mail } });

  test("a service is who knows its secret; the next one works beside it", async () => {
    const ask = asker(guard(trust()));
    const send = (secret: string) => ask(undefined, { "x-internal-secret": secret });
    assert.equal(await send(orders), "orders");
    for (const secret of mail) assert.equal(await send(secret), "mail");
    for (const secret of ["x", orders.slice(1), `${orders}o`, `x, ${orders}`]) {
      assert.equal(await send(secret), FAILED);
    }
    assert.equal(await ask(), MISSING);
  });

  test("from a header of its own, and from no other", async () => {
    const ask = asker(guard(sharedSecretTrust({ secrets: { orders }, header: "X-Mesh" })));
    assert.equal(await ask(undefined, { "x-mesh": orders }), "orders");
    assert.equal(await ask(undefined, { "x-internal-secret": orders }), MISSING);
  });

  test("the secret never reaches a handler, of no method", async (t) => {
    const { client } = await startWho(t, { interceptors: [guard(trust())] });
    const headers = { "x-internal-secret": orders };
    for (const call of [client().ask({}, { headers }), client().change({}, { headers })]) {
      assert.equal((await call).header["x-internal-secret"], undefined);
    }
  });

  test("weak or missing secrets are refused", () => {
    for (const [options, message] of [
      [{ secrets: { a: "short" } }, /at least 32 characters, got 5/],
      [{ secrets: {} }, /names in secrets/],
      [{ secrets: { a: [] } }, /secrets\["a"\]/],
      [{ secret: orders }, /did you mean "secrets"/],
    ] as const) {
      assert.throws(() => sharedSecretTrust(options as never), { code: "INVALID_OPTION", message });
    }
  });
});

describe("signedTokenTrust", () => {
  const orders = generateTestKeypair({ algorithm: "ES256" });
  const mail = generateTestKeypair({ algorithm: "ES256" });
  const issuers = {
    orders: { publicKey: orders.publicKey },
    mail: { publicKey: mail.publicKey },
  };
  const claims = { sub: "orders", iss: "orders", aud: "who" };

  test("a token of a named issuer, by that issuer's key alone", async () => {
    const ask = asker(guard(signedTokenTrust({ issuers, audience: "who" })));
    assert.equal(await ask(createTestJwt(claims, { key: orders })), "orders");
    assert.equal(await ask(createTestJwt(claims, { key: mail })), FAILED, "mail says it is orders");
    const foreign = { ...claims, iss: "evil" };
    assert.equal(await ask(createTestJwt(foreign, { key: orders })), FAILED);
    assert.equal(await ask(createTestJwt({ ...claims, aud: "x" }, { key: orders })), FAILED);
    assert.equal(await ask(createTestJwt(claims, { key: orders, expiresInSec: -1 })), FAILED);
    assert.equal(await ask("no.token.at-all"), FAILED);
    assert.equal(await ask(), MISSING);
  });

  test("claimsMapping says who that is", async () => {
    const trust = signedTokenTrust({ issuers, claimsMapping: { subject: "service.name" } });
    const token = createTestJwt({ ...claims, service: { name: "ordering" } }, { key: orders });
    assert.equal(await asker(guard(trust))(token), "ordering");
  });

  test("clockToleranceSec, maxTokenAge and maxTokenLength hold for every issuer", async () => {
    const ask = (rules: object) => asker(guard(signedTokenTrust({ issuers, ...rules })));
    const expired = createTestJwt(claims, { key: orders, expiresInSec: -10 });
    assert.equal(await ask({})(expired), FAILED);
    assert.equal(await ask({ clockToleranceSec: 30 })(expired), "orders");
    const old = { ...claims, iat: Math.floor(Date.now() / 1000) - 60 };
    const token = createTestJwt(old, { key: orders });
    assert.equal(await ask({})(token), "orders");
    assert.equal(await ask({ maxTokenAge: 30 })(token), FAILED);
    assert.equal(await ask({ maxTokenLength: token.length - 1 })(token), FAILED);
    assert.equal(await ask({ maxTokenLength: token.length })(token), "orders");
  });

  test("from a header of its own, removed before the handler", async (t) => {
    const trust = signedTokenTrust({ issuers, header: "x-service-token" });
    const { client } = await startWho(t, { interceptors: [guard(trust)] });
    const token = createTestJwt(claims, { key: orders });
    const { subject, header } = await client().ask({}, { headers: { "x-service-token": token } });
    assert.deepEqual([subject, header["x-service-token"]], ["orders", undefined]);
  });

  test("beside the JWTs of end users, each on its methods", async (t) => {
    const secret = "s".repeat(32);
    const { client } = await startWho(t, {
      interceptors: [
        guard(signedTokenTrust({ issuers })),
        createJwtAuthInterceptor({ secret, skipMethods: internalMethods }),
      ],
    });
    const userToken = await new SignJWT({ sub: "ada" })
      .setProtectedHeader({ alg: "HS256" })
      .sign(new TextEncoder().encode(secret));
    const service = bearer(createTestJwt(claims, { key: orders }));
    assert.equal((await client().ask({}, { headers: service })).subject, "orders");
    assert.equal((await client().change({}, { headers: bearer(userToken) })).subject, "ada");
    await assert.rejects(client().ask({}, { headers: bearer(userToken) }), { message: FAILED });
    await assert.rejects(client().change({}, { headers: service }), { message: FAILED });
  });

  test("needs an issuer, and exactly one key for each", () => {
    for (const options of [
      {},
      { issuers: {} },
      { issuers: { a: {} } },
      { issuers: { a: { key: 1 } } },
    ]) {
      assert.throws(() => signedTokenTrust(options as never), { code: "INVALID_OPTION" });
    }
  });
});

describe("meshIdentityTrust", () => {
  const id = "spiffe://mesh.example/ns/shop/sa/orders";

  test("an allowed SPIFFE id in the certificate of the connection", async (t) => {
    const authority = await createTestCertificates();
    const trust = meshIdentityTrust({ allow: [id, "spiffe://mesh.example/ns/ops/*"] });
    const { baseUrl } = await startWho(t, {
      tls: { ...(await authority.issue()), ca: authority.ca, clientAuth: "request" },
      interceptors: [guard(trust)],
    });
    const ask = async (...uris: string[]) => {
      const pair = uris.length > 0 ? await authority.issue({ uris }) : undefined;
      const transport = createTransport("gRPC h2", baseUrl, { ca: authority.ca, ...pair });
      // Only a sidecar's word counts here, and there is none.
      const headers = { "x-forwarded-client-cert": `URI=${id}` };
      return createClient(WhoService, transport)
        .ask({}, { headers })
        .then(
          ({ subject }) => subject,
          ({ message }) => message as string,
        );
    };
    assert.equal(await ask(id), id);
    assert.equal(
      await ask("spiffe://mesh.example/ns/ops/sa/x"),
      "spiffe://mesh.example/ns/ops/sa/x",
    );
    for (const wrong of [
      `${id}x`,
      "spiffe://mesh.example/ns/opsx/sa/x",
      "spiffe://evil/ns/ops/x",
    ]) {
      assert.equal(await ask(wrong), FAILED, wrong);
    }
    assert.equal(await ask(id, "spiffe://mesh.example/other"), FAILED, "several ids");
    assert.equal(await ask(), MISSING);
    assert.equal(await ask("https://orders.example"), MISSING);
  });

  test("what a trusted sidecar says of the last hop", async (t) => {
    const trust = meshIdentityTrust({ allow: [id], sidecars: ["127.0.0.1"] });
    const { client } = await startWho(t, { interceptors: [guard(trust)] });
    const ask = (value: string, door: "gRPC h2" | "in process" = "gRPC h2") =>
      client(door)
        .ask({}, { headers: { "x-forwarded-client-cert": value } })
        .then(
          ({ subject }) => subject,
          ({ message }) => message as string,
        );
    const hop = (uri: string) =>
      `By=spiffe://mesh.example/me;Hash=ab12;Subject="CN=a, O=\\"b;c\\"";URI=${uri}`;
    assert.equal(await ask(hop(id)), id);
    assert.equal(await ask(`${hop("spiffe://evil/x")},${hop(id)}`), id);
    assert.equal(await ask(`${hop(id)},${hop("spiffe://evil/x")}`), FAILED);
    for (const value of [
      "",
      "Hash=ab",
      `${hop(id)};URI=spiffe://evil/x`,
      `Subject="URI=${id}"`,
      `"URI=${id}`,
    ]) {
      assert.equal(await ask(value), MISSING, value);
    }
    assert.equal(await ask(hop(id), "in process"), MISSING);
  });

  test("wrong patterns are refused", () => {
    for (const allow of [
      [],
      ["*"],
      ["mesh.example/x"],
      ["spiffe://mesh.example/a*"],
      ["spiffe://*/x"],
    ]) {
      assert.throws(() => meshIdentityTrust({ allow }), { code: "INVALID_OPTION" });
    }
  });
});
