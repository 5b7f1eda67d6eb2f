import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Code, createClient, type Interceptor } from "@connectrpc/connect";
import { createJwtAuthInterceptor, getAuthContext } from "connectum/auth";
import { defineService } from "connectum/core";
import {
  assertConnectError,
  createTestJwt,
  generateTestKeypair,
  startTestJwksServer,
  withAuthContext,
  withTestServer,
} from "connectum/testing";
import { GreeterService } from "../../examples/greeter/gen/greeter/v1/greeter_pb.js";

const named = defineService(GreeterService, {
  sayHello: (_, context) => ({ greeting: getAuthContext(context)?.subject ?? "nobody" }),
});

const bearing =
  (token: string): Interceptor =>
  (next) =>
  (request) => {
    request.header.set("authorization", `Bearer ${token}`);
    return next(request);
  };

describe("tokens for tests", () => {
  test("a token of a published key is let in, an expired one and one of another key are not", async () => {
    const [known, stranger] = [generateTestKeypair(), generateTestKeypair()];
    const jwks = await startTestJwksServer([known]);
    const trusted = { issuer: "tests", audience: "greeter" };
    const claims = { iss: trusted.issuer, aud: trusted.audience };
    const interceptors = [createJwtAuthInterceptor({ jwksUri: jwks.jwksUri, ...trusted })];
    try {
      const call = (token: string) =>
        withTestServer(
          { services: [named], interceptors, clientInterceptors: [bearing(token)] },
          ({ transport }) => createClient(GreeterService, transport).sayHello({}),
        );
      const { greeting } = await call(createTestJwt({ ...claims, sub: "ada" }, { key: known }));
      assert.equal(greeting, "ada");
      const expired = createTestJwt(claims, { key: known, expiresInSec: -60 });
      await assertConnectError(call(expired), Code.Unauthenticated);
      await assertConnectError(
        call(createTestJwt(claims, { key: stranger })),
        Code.Unauthenticated,
      );
      assert.ok(jwks.requests > 0);
    } finally {
      await jwks.close();
    }
  });

  test("withAuthContext runs a function as somebody, and nobody afterwards", async () => {
    const seen = await withAuthContext({ subject: "ada", roles: ["admin"] }, async () => {
      await null;
      return getAuthContext();
    });
    assert.equal(seen?.subject, "ada");
    assert.deepEqual(seen?.roles, ["admin"]);
    assert.equal(getAuthContext(), undefined);
  });
});
