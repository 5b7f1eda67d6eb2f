import assert from "node:assert/strict";
import { test } from "node:test";
import { Code, createClient } from "@connectrpc/connect";
import { defineService, peerKey } from "connectum/core";
import { createTimeoutInterceptor } from "connectum/interceptors";
import {
  assertConnectError,
  createFakeClock,
  createFaultProxy,
  createLocalClient,
  createMockContext,
  createTestCertificates,
  InMemoryMetricCollector,
  InMemorySpanCollector,
  mockResolver,
  mockService,
  withTestServer,
} from "connectum/testing";
import { transportParityTest } from "connectum/testing/parity";
import { GreeterService } from "./gen/greeter/v1/greeter_pb.js";

const greeter = defineService(GreeterService, {
  sayHello: ({ name }, { values }) => ({
    greeting: `Hello, ${values.get(peerKey).certificate?.subject ?? name}!`,
  }),
});

test("a test server, a local client and collectors", async () => {
  const spans = new InMemorySpanCollector();
  const metrics = new InMemoryMetricCollector();
  await withTestServer({ services: [greeter] }, async ({ transports, server }) => {
    for (const transport of Object.values(transports)) {
      const { greeting } = await createClient(GreeterService, transport).sayHello({ name: "Ada" });
      assert.equal(greeting, "Hello, Ada!");
    }
    assert.equal(
      (await createLocalClient(server, GreeterService).sayHello({})).greeting,
      "Hello, !",
    );
  });
  assert.deepEqual(await spans.flush(), []);
  assert.deepEqual(await metrics.flush(), []);
});

test("certificates for mTLS", async () => {
  const { ca, server, client } = await createTestCertificates({ client: { name: "billing" } });
  const tls = { ...server, ca, clientAuth: "require" };
  await withTestServer(
    { services: [greeter], tls, clientTls: { ca, ...client } },
    async ({ transport }) => {
      const { greeting } = await createClient(GreeterService, transport).sayHello({});
      assert.equal(greeting, "Hello, CN=billing!");
    },
  );
});

test("mocks and a context", async () => {
  const resolver = mockResolver([
    mockService(GreeterService, { sayHello: () => ({ greeting: "mock" }) }),
  ]);
  const transport = resolver({ typeName: GreeterService.typeName });
  assert.equal((await createClient(GreeterService, transport).sayHello({})).greeting, "mock");
  assert.equal(createMockContext(GreeterService.method.sayHello).protocolName, "grpc");
});

test("a fake clock ends a call at its timeout", async () => {
  const hanging = defineService(GreeterService, { sayHello: () => new Promise(() => {}) });
  const interceptors = [createTimeoutInterceptor({ timeoutMs: 60_000 })];
  await withTestServer({ services: [hanging], interceptors }, async ({ transports }) => {
    const clock = createFakeClock();
    try {
      const call = createClient(GreeterService, transports.local).sayHello({});
      const ended = assertConnectError(call, Code.DeadlineExceeded);
      await clock.advance(60_000);
      await ended;
    } finally {
      clock.dispose();
    }
  });
});

test("a fault proxy", async () => {
  await withTestServer({ services: [greeter] }, async ({ port }) => {
    const proxy = await createFaultProxy({ port });
    const answer = await fetch(`http://127.0.0.1:${proxy.port}/nowhere`);
    assert.equal(answer.status, 404);
    await proxy.close();
  });
});

transportParityTest("parity", {
  services: [greeter],
  scenario: ({ transport }) => createClient(GreeterService, transport).sayHello({ name: "Ada" }),
});
