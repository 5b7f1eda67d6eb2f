import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createServer, defineService } from "connectum/core";
import { GreeterService } from "../../examples/greeter/gen/greeter/v1/greeter_pb.js";
import { greeter } from "../../examples/greeter/service.ts";

const services = [defineService(GreeterService, greeter)];
const loopback = { port: 0, host: "127.0.0.1" };

describe("autoShutdown", () => {
  test("a signal stops the server and its handler is removed afterwards", async () => {
    const before = process.listenerCount("SIGTERM");
    const server = createServer({ services, ...loopback, shutdown: { autoShutdown: true } });
    await server.start();
    assert.equal(process.listenerCount("SIGTERM"), before + 1);
    const stopped = new Promise<void>((resolve) => server.once("stop", () => resolve()));
    process.kill(process.pid, "SIGTERM");
    await stopped;
    assert.equal(server.state, "stopped");
    assert.equal(process.listenerCount("SIGTERM"), before);
  });

  test("a signal during starting stops right after start-up", async () => {
    const seen: string[] = [];
    const server = createServer({
      services,
      ...loopback,
      shutdown: { autoShutdown: true },
      eventBus: {
        start: () => void process.emit("SIGINT"),
        stop() {},
      },
    });
    for (const event of ["ready", "stop"] as const) server.on(event, () => seen.push(event));
    const stopped = new Promise<void>((resolve) => server.once("stop", () => resolve()));
    await server.start();
    await stopped;
    assert.deepEqual(seen, ["ready", "stop"]);
  });
});
