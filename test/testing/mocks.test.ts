import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Code, createClient, createContextKey, createContextValues } from "@connectrpc/connect";
import { createServer } from "connectum/core";
import {
  assertConnectError,
  createFakeClock,
  createMockContext,
  mockResolver,
  mockService,
} from "connectum/testing";
import { GreeterService } from "../../examples/greeter/gen/greeter/v1/greeter_pb.js";
import { AuditService, CatalogService } from "../gen/connectum/test/v1/catalog_pb.js";

describe("mockResolver", () => {
  const greeter = mockService(GreeterService, {
    sayHello: ({ name }) => ({ greeting: `mock of ${name}` }),
  });

  test("stands in for a remote service, marks its answers, leaves the rest unimplemented", async () => {
    const server = createServer({ services: [], remoteResolver: mockResolver([greeter]) });
    const client = server.client(GreeterService);
    let mark: string | null = null;
    const { greeting } = await client.sayHello(
      { name: "Ada" },
      { onHeader: (header) => (mark = header.get("x-connectum-mock")) },
    );
    assert.equal(greeting, "mock of Ada");
    assert.equal(mark, "true");
    const messages = client.sayHelloInLanguages({ name: "Ada" })[Symbol.asyncIterator]();
    await assertConnectError(messages.next(), Code.Unimplemented);
  });

  test("answers null for what it does not know", () => {
    assert.equal(mockResolver([greeter])({ typeName: CatalogService.typeName }), null);
  });

  test("refuses two mocks of one service, naming it", () => {
    const audit = mockService(AuditService, {});
    assert.throws(() => mockResolver([greeter, audit, greeter]), {
      code: "INVALID_OPTION",
      message: /two of greeter\.v1\.GreeterService/,
    });
  });

  test("its transport is the same for every call", () => {
    const resolver = mockResolver([greeter]);
    const { typeName } = GreeterService;
    assert.equal(resolver({ typeName }), resolver({ typeName }));
    assert.ok(createClient(GreeterService, resolver({ typeName }) as never));
  });
});

describe("createMockContext", () => {
  const method = GreeterService.method.sayHello;

  test("is a context of the method, with what it was given", () => {
    const key = createContextKey("nobody");
    const context = createMockContext(method, {
      requestHeader: { "x-tenant": "acme" },
      values: createContextValues().set(key, "ada"),
      timeoutMs: 60_000,
    });
    assert.equal(context.method, method);
    assert.equal(context.service, GreeterService);
    assert.equal(context.requestHeader.get("x-tenant"), "acme");
    assert.equal(context.values.get(key), "ada");
    assert.ok((context.timeoutMs() ?? 0) > 0);
    assert.equal(context.protocolName, "grpc");
  });

  test("shows what a handler sets", () => {
    const context = createMockContext(method);
    context.responseHeader.set("x-cost", "1");
    context.responseTrailer.set("x-total", "2");
    assert.equal(context.responseHeader.get("x-cost"), "1");
    assert.equal(context.responseTrailer.get("x-total"), "2");
  });

  test("its signal aborts at the deadline", async () => {
    const clock = createFakeClock();
    try {
      const { signal } = createMockContext(method, { timeoutMs: 1_000 });
      await clock.advance(999);
      assert.equal(signal.aborted, false);
      await clock.advance(1);
      assertConnectError(signal.reason, Code.DeadlineExceeded);
    } finally {
      clock.dispose();
    }
  });

  test("came by gRPC and POST unless it is told otherwise", () => {
    const { protocolName, requestMethod } = createMockContext(method);
    assert.deepEqual([protocolName, requestMethod], ["grpc", "POST"]);
    const get = createMockContext(method, { protocolName: "connect", requestMethod: "GET" });
    assert.deepEqual([get.protocolName, get.requestMethod], ["connect", "GET"]);
  });

  test("its signal follows the given one", () => {
    const abort = new AbortController();
    const { signal } = createMockContext(method, { signal: abort.signal });
    assert.equal(signal.aborted, false);
    abort.abort();
    assert.equal(signal.aborted, true);
  });
});
