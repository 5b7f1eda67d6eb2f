import assert from "node:assert/strict";
import type { AddressInfo } from "node:net";
import { describe, test } from "node:test";
import { createClient, type Interceptor } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import {
  type CreateServerOptions,
  createServer,
  defineService,
  type ProtocolRegistration,
} from "connectum/core";
import { Healthcheck, healthcheckManager, ServingStatus } from "connectum/healthcheck";
import { createDefaultInterceptors } from "connectum/interceptors";
import { Reflection } from "connectum/reflection";
import { GreeterService } from "../../examples/greeter/gen/greeter/v1/greeter_pb.js";
import { greeter } from "../../examples/greeter/service.ts";
import { Health } from "../../src/healthcheck/gen/grpc/health/v1/health_pb.js";

const routes = defineService(GreeterService, greeter);

/** What the "before" blocks of the migration tables passed. */
function before(options: Record<string, unknown>) {
  return () => createServer({ services: [routes], ...options } as CreateServerOptions);
}

describe("the server page", () => {
  test("quick start with the default chain, states, events and shutdownSignal", async (t) => {
    const events: string[] = [];
    const server = createServer({
      services: [routes],
      port: 0,
      protocols: [Healthcheck({ httpEnabled: true }), Reflection()],
      interceptors: createDefaultInterceptors(),
      shutdown: { autoShutdown: true, timeout: 30_000 },
    });
    for (const event of ["start", "ready", "stopping", "stop", "error"] as const) {
      server.on(event, () => events.push(event));
    }
    server.on("ready", () => healthcheckManager.update(ServingStatus.SERVING));
    let workerSignal: AbortSignal | undefined;
    server.on("ready", () => startBackgroundWorker(server.shutdownSignal));
    function startBackgroundWorker(signal: AbortSignal) {
      workerSignal = signal;
    }
    assert.equal(server.state, "created");
    await server.start();
    t.after(() => (server.isRunning ? server.stop() : undefined));
    const { port } = server.address as AddressInfo;
    const transport = createGrpcTransport({ baseUrl: `http://127.0.0.1:${port}` });
    const client = createClient(GreeterService, transport);
    assert.equal((await client.sayHello({ name: "Ada" })).greeting, "Hello, Ada!");
    const probe = createClient(Health, transport);
    assert.equal((await probe.check({})).status, ServingStatus.SERVING);
    assert.equal(workerSignal?.aborted, false);
    await server.stop();
    assert.equal(workerSignal?.aborted, true);
    assert.equal(server.state, "stopped");
    assert.deepEqual(events, ["start", "ready", "stopping", "stop"]);
  });
});

describe("the record on protocols", () => {
  test("Healthcheck and Reflection as protocols, with watchInterval", async () => {
    const server = createServer({
      services: [routes],
      port: 0,
      protocols: [Healthcheck({ httpEnabled: true, watchInterval: 1000 }), Reflection()],
    });
    server.on("ready", () => {
      healthcheckManager.update(ServingStatus.SERVING);
    });
    await server.start();
    await server.stop();
  });

  test("what came before says what replaced it", () => {
    assert.throws(
      before({ health: { enabled: true } }),
      /no longer takes "health": .*Healthcheck\(\)/,
    );
    assert.throws(before({ reflection: true }), /no longer takes "reflection": .*Reflection\(\)/);
  });

  test("server.health is gone", () => {
    const server = createServer({ services: [routes] });
    assert.equal((server as { health?: unknown }).health, undefined);
  });
});

describe("the record on registration", () => {
  test("every row of the migration table", () => {
    for (const builtinInterceptors of [
      { all: false },
      { logger: false },
      { errorHandler: { logErrors: true }, logger: false },
    ]) {
      assert.throws(
        before({ builtinInterceptors }),
        /no longer takes "builtinInterceptors": .*createDefaultInterceptors\(\)/,
      );
    }
    const custom: Interceptor = (next) => next;
    for (const interceptors of [
      [],
      createDefaultInterceptors({ logger: false }),
      createDefaultInterceptors({ errorHandler: { logErrors: true }, logger: false }),
      [...createDefaultInterceptors(), custom],
    ]) {
      const server = createServer({ services: [routes], interceptors });
      assert.deepEqual(server.interceptors, interceptors);
    }
    assert.deepEqual(createServer({ services: [routes] }).interceptors, []);
  });

  test("new capabilities: registration before start, read-only views", async () => {
    const myCustomInterceptor: Interceptor = (next) => next;
    const myCustomProtocol: ProtocolRegistration = { name: "custom", register() {} };
    const server = createServer({
      services: [routes],
      port: 0,
      protocols: [Healthcheck({ httpEnabled: true }), Reflection()],
    });
    server.addInterceptor(myCustomInterceptor);
    server.addProtocol(myCustomProtocol);
    assert.deepEqual(server.interceptors, [myCustomInterceptor]);
    assert.equal(server.protocols.at(-1), myCustomProtocol);
    assert.deepEqual(server.routes, [routes]);
    server.on("ready", () => {
      healthcheckManager.update(ServingStatus.SERVING);
    });
    await server.start();
    assert.throws(() => server.addInterceptor(myCustomInterceptor), { code: "INVALID_STATE" });
    assert.throws(() => server.addProtocol(myCustomProtocol), { code: "INVALID_STATE" });
    await server.stop();
  });

  test("the types of the record: what is off by default can be off, on, or have options", () => {
    createDefaultInterceptors({
      errorHandler: true,
      validation: {},
      serializer: false,
      logger: { level: "info" },
      tracing: false,
      redact: { mask: "-" },
    });
  });
});
