import assert from "node:assert/strict";
import type { AddressInfo } from "node:net";
import { createServer as createNetServer } from "node:net";
import { describe, test } from "node:test";
import { createClient } from "@connectrpc/connect";
import { createServer, defineService } from "connectum/core";
import { createTestServer } from "connectum/testing";
import { GreeterService } from "../../examples/greeter/gen/greeter/v1/greeter_pb.js";
import { greeter } from "../../examples/greeter/service.ts";
import { createTransport, grid } from "../support/transports.ts";

const services = [defineService(GreeterService, greeter)];
const loopback = { port: 0, host: "127.0.0.1" };

describe("createServer lifecycle", () => {
  test("passes the states and events in order", async () => {
    const seen: string[] = [];
    const server = createServer({ services, ...loopback });
    for (const event of ["start", "ready", "stopping", "stop"] as const) {
      server.on(event, () => seen.push(`${event}:${server.state}`));
    }
    assert.equal(server.state, "created");
    assert.equal(server.address, null);
    assert.equal(server.transport, null);
    await server.start();
    assert.equal(server.isRunning, true);
    assert.ok((server.address as unknown as AddressInfo).port > 0);
    assert.equal(server.shutdownSignal.aborted, false);
    await server.stop();
    assert.equal(server.address, null);
    assert.equal(server.shutdownSignal.aborted, true);
    assert.deepEqual(seen, [
      "start:starting",
      "ready:running",
      "stopping:stopping",
      "stop:stopped",
    ]);
  });

  for (const name of grid) {
    test(`answers ${name}`, async (t) => {
      const { baseUrl } = await createTestServer({ t, services });
      const client = createClient(GreeterService, createTransport(name, baseUrl));
      assert.equal((await client.sayHello({ name: "Ada" })).greeting, "Hello, Ada!");
    });
  }

  test("start() twice says that it works once", async (t) => {
    const { server } = await createTestServer({ t });
    await assert.rejects(server.start(), { code: "INVALID_STATE", message: /"running".*once/ });
  });

  test("a stopped server says to create a new one", async (t) => {
    const { server } = await createTestServer({ t });
    await server.stop();
    await assert.rejects(server.start(), { code: "INVALID_STATE", message: /create a new one/ });
  });

  test("stop() before start names the state", async () => {
    const server = createServer({ services: [] });
    await assert.rejects(server.stop(), { code: "INVALID_STATE", message: /"created"/ });
  });

  test("stop() while starting names the state, and the start goes on", async () => {
    const server = createServer({ services, ...loopback });
    const started = server.start();
    await assert.rejects(server.stop(), { code: "INVALID_STATE", message: /"starting"/ });
    await started;
    await server.stop();
  });

  test("await using of a starting server waits for the start, then stops", async () => {
    const server = createServer({ services, ...loopback });
    const started = server.start();
    await server[Symbol.asyncDispose]();
    await started;
    assert.equal(server.state, "stopped");
  });

  test("stop() while stopping returns the promise of the stop under way", async (t) => {
    const { server } = await createTestServer({ t });
    const first = server.stop();
    assert.equal(server.stop(), first);
    await first;
  });

  test("addX() appends until routes freeze, then names what froze them", async (t) => {
    const server = createServer({ services: [], ...loopback });
    server.addService(services[0] ?? assert.fail());
    server.addInterceptor((next) => next);
    server.addProtocol({ name: "p", register() {} });
    assert.equal(server.routes.length, 1);
    assert.equal(server.interceptors.length, 1);
    assert.equal(server.protocols.length, 1);
    assert.equal(server.hasService(GreeterService), true);
    assert.throws(() => server.addService(() => {}), {
      code: "INVALID_STATE",
      message: /frozen by hasService\(\)/,
    });
    await server.start();
    t.after(() => server.stop());
    assert.throws(() => server.addInterceptor((next) => next), { code: "INVALID_STATE" });
    assert.throws(() => server.addProtocol({ name: "q", register() {} }), {
      code: "INVALID_STATE",
    });
  });

  test("a port in use rejects naming address and reason, and ends in stopped", async (t) => {
    const { port } = await createTestServer({ t });
    const events: string[] = [];
    const second = createServer({ services, port, host: "127.0.0.1" });
    second.on("error", (error) => events.push((error as { code: string }).code));
    second.onShutdown(() => void events.push("hook"));
    await assert.rejects(second.start(), (error: Error & { code: string }) => {
      assert.equal(error.code, "LISTEN_FAILED");
      assert.match(error.message, new RegExp(`127\\.0\\.0\\.1:${port}.*in use`));
      assert.equal((error.cause as NodeJS.ErrnoException).code, "EADDRINUSE");
      return true;
    });
    assert.equal(second.state, "stopped");
    assert.equal(second.address, null);
    assert.deepEqual(events, ["hook", "LISTEN_FAILED"]);
  });

  test("a host of another machine rejects with a hint at the host option", async () => {
    const server = createServer({ services, port: 0, host: "192.0.2.1" });
    await assert.rejects(server.start(), { code: "LISTEN_FAILED", message: /host option/ });
  });

  test("a listener that throws breaks neither start nor stop and is reported as error", async () => {
    const reported: unknown[] = [];
    const server = createServer({ services, ...loopback });
    server.on("error", (error) => reported.push((error as Error).message));
    server.on("ready", () => {
      throw new Error("ready broke");
    });
    server.on("stopping", async () => {
      throw new Error("stopping broke");
    });
    await server.start();
    await server.stop();
    assert.equal(server.state, "stopped");
    assert.deepEqual(reported, ["ready broke", "stopping broke"]);
  });

  test("an error nobody listens to goes to the logger", async () => {
    const lines: Array<{ err: unknown }> = [];
    const ignore = () => {};
    const error = (details: object) => lines.push(details as { err: unknown });
    const server = createServer({
      services,
      ...loopback,
      logger: { debug: ignore, info: ignore, warn: ignore, error },
    });
    const thrown = new Error("broke");
    server.on("ready", () => {
      throw thrown;
    });
    await server.start();
    await server.stop();
    assert.deepEqual(lines, [{ err: thrown }]);
  });

  test("the event bus starts before listening, stops after the drain, never without a start", async () => {
    const steps: string[] = [];
    const eventBus = {
      start: ({ signal }: { signal: AbortSignal }) => void steps.push(`start ${signal.aborted}`),
      stop: () => void steps.push("stop"),
    };
    const server = createServer({ services, ...loopback, eventBus });
    server.on("ready", () => steps.push("ready"));
    server.onShutdown(() => void steps.push("hook"));
    assert.equal(server.eventBus, eventBus);
    await server.start();
    await server.stop();
    assert.deepEqual(steps, ["start false", "ready", "stop", "hook"]);

    steps.length = 0;
    const blocked = createServer({ services, port: 0, host: "192.0.2.1", eventBus });
    await assert.rejects(blocked.start());
    assert.deepEqual(steps, ["start false", "stop"]);

    steps.length = 0;
    await createServer({ services, eventBus })[Symbol.asyncDispose]();
    assert.deepEqual(steps, []);
  });

  test("await using stops a running server, and runs the hooks of one never started", async () => {
    const steps: string[] = [];
    const running = createServer({ services, ...loopback });
    {
      await using server = running;
      server.onShutdown(() => void steps.push("running"));
      await server.start();
    }
    const created = createServer({ services });
    {
      await using server = created;
      server.onShutdown(() => void steps.push("created"));
    }
    assert.equal(running.state, "stopped");
    assert.equal(created.state, "stopped");
    assert.deepEqual(steps, ["running", "created"]);
  });

  test("a Unix domain socket is an address like any other", async (t) => {
    const path = `/tmp/connectum-${process.pid}.sock`;
    const server = createServer({ services, path });
    await server.start();
    t.after(() => server.stop());
    assert.equal(server.address, path);
    const client = createClient(
      GreeterService,
      createTransport("Connect h1", "http://localhost", { socketPath: path } as never),
    );
    assert.equal((await client.sayHello({ name: "Ada" })).greeting, "Hello, Ada!");
  });

  test("with allowHTTP2 false a bidi method makes start() reject, naming it and the fix", async () => {
    const options = { services, ...loopback, allowHTTP2: false };
    await assert.rejects(createServer(options).start(), {
      code: "UNSUPPORTED_METHODS",
      message: /greeter\.v1\.GreeterService\/Converse.*transportValidation/s,
    });
    const warnings: string[] = [];
    const ignore = () => {};
    const warn = (_: object, message: string) => warnings.push(message);
    const warned = createServer({
      ...options,
      transportValidation: "warn",
      logger: { debug: ignore, info: ignore, warn, error: ignore },
    });
    await warned.start();
    await warned.stop();
    assert.match(warnings.join(), /Converse/);
    const off = createServer({ ...options, transportValidation: "off" });
    await off.start();
    await off.stop();
  });
});

test("a port that another program holds is free again after a failed start", async () => {
  const holder = createNetServer();
  await new Promise<void>((resolve) => holder.listen(0, "127.0.0.1", resolve));
  const { port } = holder.address() as AddressInfo;
  await assert.rejects(createServer({ services, port, host: "127.0.0.1" }).start());
  await new Promise((resolve) => holder.close(resolve));
  const server = createServer({ services, port, host: "127.0.0.1" });
  await server.start();
  await server.stop();
});
