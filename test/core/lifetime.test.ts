import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { Code, ConnectError, createClient, type HandlerContext } from "@connectrpc/connect";
import { createServer, defineService, type Server } from "connectum/core";
import { createFakeClock, type FakeClock } from "connectum/testing";
import { GreeterService } from "../../examples/greeter/gen/greeter/v1/greeter_pb.js";
import { createTransport } from "../support/transports.ts";
import { withResolvers } from "../support/with-resolvers.ts";

const loopback = { port: 0, host: "127.0.0.1", keepalive: false } as const;
const empty = { services: [], ...loopback };

/** Those of Node itself; nobody of ours may stay. SIGUSR2 would make it write diagnostic reports. */
const listeners = process.listenerCount("SIGCONT");

async function turns(): Promise<void> {
  for (let count = 0; count < 20; count++) await turn();
}

async function passing(clock: FakeClock, ms: number): Promise<void> {
  await turns();
  await clock.advance(ms);
  await turns();
}

function dispose(server: Server): Promise<void> {
  return server[Symbol.asyncDispose]();
}

/** A server whose one handler hangs, with a call in it. */
async function hanging(shutdown: Parameters<typeof createServer>[0]["shutdown"]) {
  const entered = withResolvers<HandlerContext>();
  const server = createServer({
    services: [
      defineService(GreeterService, {
        sayHello(_, context) {
          entered.resolve(context);
          return new Promise(() => {});
        },
      }),
    ],
    ...loopback,
    shutdown,
  });
  await server.start();
  const answer = server
    .localClient(GreeterService)
    .sayHello({})
    .then(
      () => "an answer",
      (error) => ConnectError.from(error).message,
    );
  const { signal } = await entered.promise;
  return { server, answer, signal };
}

describe("start()", () => {
  test("says in which state it was called, and what to do", async () => {
    const server = createServer(empty);
    const refused = (state: string, hint: string) =>
      assert.rejects(server.start(), {
        code: "INVALID_STATE",
        message: `start() in state "${state}": ${hint}`,
      });
    const started = server.start();
    await refused("starting", "start() works once");
    await started;
    await refused("running", "start() works once");
    const stopped = server.stop();
    await refused("stopping", "start() works once");
    await stopped;
    await refused("stopped", "a stopped server cannot be started again, create a new one");
  });

  test("that fails releases everything, reports what failed in that, and gives the cause", async () => {
    const cause = new Error("no broker");
    const failure = new Error("disk full");
    const steps: unknown[] = [];
    const server = createServer({
      ...empty,
      shutdown: { autoShutdown: true, signals: ["SIGCONT"] },
      eventBus: { start: () => Promise.reject(cause), stop: () => void steps.push("bus stopped") },
    });
    server.onShutdown(() => {
      throw failure;
    });
    server.on("stop", () => steps.push(server.state));
    server.on("error", (error) => steps.push(error));
    await assert.rejects(server.start(), cause);
    assert.deepEqual(steps, ["stopped", failure, cause]);
    assert.equal(server.address, null);
    assert.equal(server.shutdownSignal.aborted, true);
    assert.deepEqual(
      [server.shutdownSignal.reason.code, server.shutdownSignal.reason.rawMessage],
      [Code.Unavailable, "server is shutting down"],
    );
    assert.equal(process.listenerCount("SIGCONT"), listeners);
  });

  test("logs what failed, and where, when nobody listens for errors", async () => {
    const lines: string[] = [];
    const ignore = () => {};
    const error = (_: object, line?: string) => void lines.push(line ?? "");
    const logger = { debug: ignore, info: ignore, warn: ignore, error };
    const server = createServer({
      ...empty,
      logger,
      eventBus: { start: () => Promise.reject(new Error("no broker")), stop() {} },
    });
    server.onShutdown(() => {
      throw new Error("disk full");
    });
    await assert.rejects(server.start());
    assert.deepEqual(lines.splice(0), ["shutdown failed", "start failed"]);
    const second = createServer({ ...empty, logger });
    second.onShutdown(() => Promise.reject(new Error("disk full")));
    await second.start();
    await assert.rejects(second.stop());
    assert.deepEqual(lines, ["shutdown failed"]);
  });

  test("freezes the routes, and says that it did", async (t) => {
    const server = createServer(empty);
    await server.start();
    t.after(() => server.stop());
    assert.throws(() => server.addService(() => {}), {
      code: "INVALID_STATE",
      message: 'addService() in state "running": routes were frozen by start(); add before it',
    });
  });
});

describe("stop()", () => {
  test("says in which state it was called, and what can be stopped", async () => {
    const server = createServer(empty);
    const refused = (state: string) =>
      assert.rejects(server.stop(), {
        code: "INVALID_STATE",
        message: `stop() in state "${state}": only a running server can be stopped`,
      });
    await refused("created");
    const started = server.start();
    await refused("starting");
    await started;
    await server.stop();
    await refused("stopped");
  });

  test("is the same for a listener that stops as well", async () => {
    for (const isStarted of [true, false]) {
      const server = createServer(empty);
      const more: Array<Promise<void>> = [];
      server.on("stopping", () => more.push(server.stop()));
      server.shutdownSignal.addEventListener("abort", () => more.push(server.stop()));
      if (isStarted) await server.start();
      await dispose(server);
      assert.equal(more.length, isStarted ? 2 : 1);
      await Promise.all(more);
    }
  });

  test("counts what failed, in its error and to listeners", async () => {
    const failures = [new Error("disk full"), new Error("no broker")];
    const reported: unknown[] = [];
    for (const dispose of [true, false]) {
      const server = createServer(empty);
      for (const failure of failures) server.onShutdown(() => Promise.reject(failure));
      server.on("error", (error) => reported.push(error));
      if (!dispose) await server.start();
      const stopped = dispose ? server[Symbol.asyncDispose]() : server.stop();
      await assert.rejects(stopped, (error: AggregateError) => {
        assert.equal(error.message, "2 step(s) of the shutdown failed");
        assert.deepEqual(error.errors, failures);
        return true;
      });
      assert.equal(server.state, "stopped");
      assert.deepEqual(reported.splice(0), failures);
    }
  });

  test("leaves no timer behind, whatever it did not need to wait for", async (t) => {
    const clock = createFakeClock({ t });
    for (const shutdown of [
      {},
      { forceCloseOnTimeout: false },
      { drainDelayMs: 500 },
      { drainDelayMs: 5_000 },
    ]) {
      const server = createServer({ ...empty, shutdown });
      server.onShutdown(() => {});
      await server.start();
      const stopped = server.stop();
      await turns();
      assert.equal(server.shutdownSignal.aborted, shutdown.drainDelayMs === undefined);
      await clock.advance(shutdown.drainDelayMs ?? 0);
      await stopped;
      assert.equal(clock.pendingTimers, 0, JSON.stringify(shutdown));
    }
    await createServer(empty)[Symbol.asyncDispose]();
    assert.equal(clock.pendingTimers, 0);
  });

  test("aborts what runs abortGraceMs before timeout, and cuts it at timeout", async (t) => {
    const clock = createFakeClock({ t });
    const options = { timeout: 10_000, abortGraceMs: 3_000 };
    const { server, answer, signal } = await hanging(options);
    const stopped = server.stop();
    await passing(clock, 6_999);
    assert.equal(signal.aborted, false);
    await passing(clock, 1);
    assert.equal(signal.aborted, true);
    assert.equal(ConnectError.from(signal.reason).message, "[unavailable] server is shutting down");
    await passing(clock, 2_999);
    assert.equal(server.state, "stopping");
    await passing(clock, 1);
    await stopped;
    assert.equal(await answer, "[unavailable] server is shutting down");
  });

  test("tells its signal when the port closes, and calls only when they are cut", async (t) => {
    const clock = createFakeClock({ t });
    const options = { timeout: 10_000, drainDelayMs: 4_000, abortGraceMs: 0 };
    const { server, answer, signal } = await hanging(options);
    const stopped = server.stop();
    await passing(clock, 3_999);
    assert.equal(server.shutdownSignal.aborted, false);
    await passing(clock, 1);
    assert.equal(server.shutdownSignal.aborted, true);
    assert.equal(server.shutdownSignal.reason.rawMessage, "server is shutting down");
    await passing(clock, 5_999);
    assert.equal(signal.aborted, false);
    assert.equal(server.state, "stopping");
    await passing(clock, 1);
    await stopped;
    assert.equal(signal.aborted, true);
    assert.equal(await answer, "[unavailable] server is shutting down");
  });

  test("asks HTTP/1.1 clients to leave until half of a short drainDelayMs", async (t) => {
    const clock = createFakeClock({ t });
    const server = createServer({ ...empty, shutdown: { drainDelayMs: 600 } });
    await server.start();
    const { port } = server.address as { port: number };
    const header = async () => {
      const response = await fetch(`http://127.0.0.1:${port}/none`, { method: "POST" });
      await response.arrayBuffer();
      return response.headers.get("connection");
    };
    assert.equal(await header(), "keep-alive");
    const stopped = server.stop();
    await clock.advance(299);
    assert.equal(await header(), "close");
    await clock.advance(1);
    assert.equal(await header(), "keep-alive");
    await passing(clock, 300);
    await passing(clock, 1_000);
    await stopped;
  });
});

describe("signals", () => {
  const shutdown = { autoShutdown: true, signals: ["SIGCONT"] } as const;
  const signal = () => process.emit("SIGCONT", "SIGCONT");

  test("the second one ends what runs with unavailable", async () => {
    const { server, answer, signal: ofCall } = await hanging(shutdown);
    const stopped = once(server as never, "stop");
    signal();
    await turns();
    assert.equal(server.state, "stopping");
    assert.equal(ofCall.aborted, false);
    signal();
    await stopped;
    assert.equal(ofCall.reason.message, "[unavailable] server is shutting down");
    assert.equal(await answer, "[unavailable] server is shutting down");
  });

  test("one that comes while the stop begins changes nothing", async () => {
    const reported: unknown[] = [];
    const server = createServer({ ...empty, shutdown });
    server.on("stopping", () => void signal());
    server.on("error", (error) => reported.push(error));
    await server.start();
    await server.stop();
    assert.deepEqual(reported, []);
  });

  test("the second one aborts calls from the network with unavailable, too", async () => {
    const entered = withResolvers<AbortSignal>();
    const server = createServer({
      services: [
        defineService(GreeterService, {
          sayHello(_, context) {
            entered.resolve(context.signal);
            return new Promise(() => {});
          },
        }),
      ],
      ...loopback,
      shutdown,
    });
    await server.start();
    const { port } = server.address as { port: number };
    const transport = createTransport("gRPC h2", `http://127.0.0.1:${port}`);
    const answer = createClient(GreeterService, transport).sayHello({});
    answer.catch(() => {});
    const ofCall = await entered.promise;
    const stopped = new Promise<void>((resolve) => server.once("stop", () => resolve()));
    signal();
    signal();
    await stopped;
    assert.equal(ofCall.reason.message, "[unavailable] server is shutting down");
    await assert.rejects(answer, ConnectError);
  });

  test("one that comes while hooks run changes nothing, and what fails is reported", async () => {
    const failure = new Error("disk full");
    const reported: unknown[] = [];
    const server = createServer({ ...empty, shutdown });
    server.onShutdown(async () => {
      signal();
      throw failure;
    });
    server.on("error", (error) => reported.push(error));
    await server.start();
    const stopped = new Promise<void>((resolve) => server.once("stop", () => resolve()));
    signal();
    await stopped;
    await turns();
    assert.deepEqual(reported, [failure]);
    assert.equal(process.listenerCount("SIGCONT"), listeners);
  });

  test("are not heard before the start nor without autoShutdown", async () => {
    const created = createServer({ ...empty, shutdown });
    assert.equal(process.listenerCount("SIGCONT"), listeners);
    await created[Symbol.asyncDispose]();
    const server = createServer({ ...empty, shutdown: { signals: ["SIGCONT"] } });
    await server.start();
    assert.equal(process.listenerCount("SIGCONT"), listeners);
    await server.stop();
  });
});

describe("what a server takes and lets go", () => {
  test("comes in one order, however it ends", async () => {
    const steps: string[] = [];
    const make = (fails = false) => {
      const server: Server = createServer({
        ...empty,
        eventBus: {
          start({ signal }) {
            steps.push(`bus starts, ${signal === server.shutdownSignal}, ${server.address}`);
            if (fails) throw new Error("no broker");
          },
          stop: () => void steps.push(`bus stops, ${server.shutdownSignal.aborted}`),
        },
      });
      for (const event of ["start", "ready", "stopping", "stop"] as const) {
        server.on(event, () => steps.push(`${event}, ${server.state}`));
      }
      server.on("error", () => steps.push("error"));
      server.onShutdown(() => void steps.push(`hook, ${server.state}`));
      return server;
    };
    const server = make();
    await server.start();
    assert.ok(server.address);
    const stopped = server.stop();
    assert.equal(server.stop(), stopped);
    await stopped;
    assert.equal(server.address, null);
    assert.deepEqual(steps.splice(0), [
      "start, starting",
      "bus starts, true, null",
      "ready, running",
      "stopping, stopping",
      "bus stops, true",
      "hook, stopping",
      "stop, stopped",
    ]);
    await assert.rejects(make(true).start(), { message: "no broker" });
    assert.deepEqual(steps.splice(0), [
      "start, starting",
      "bus starts, true, null",
      "hook, starting",
      "stop, stopped",
      "error",
    ]);
    await dispose(make());
    assert.deepEqual(steps, ["hook, stopping", "stop, stopped"]);
  });

  test("includes a signal and an end that come while it starts: it starts, then stops", async () => {
    const shutdown = { autoShutdown: true, signals: ["SIGCONT"] } as const;
    for (const isSignal of [true, false]) {
      const seen: string[] = [];
      const server = createServer({ ...empty, shutdown });
      for (const event of ["ready", "stopping", "stop"] as const) {
        server.on(event, () => seen.push(event));
      }
      const stopped = new Promise<void>((resolve) => server.once("stop", () => resolve()));
      const started = server.start();
      assert.equal(process.listenerCount("SIGCONT"), listeners + 1);
      if (isSignal) process.emit("SIGCONT", "SIGCONT");
      else await dispose(server);
      await started;
      await stopped;
      assert.deepEqual(seen, ["ready", "stopping", "stop"]);
    }
  });

  test("includes clients, whose calls then fail", async () => {
    const server = createServer({
      services: [defineService(GreeterService, { sayHello: () => ({ greeting: "hi" }) })],
      ...loopback,
    });
    const client = server.client(GreeterService);
    await server.start();
    assert.equal((await client.sayHello({})).greeting, "hi");
    await server.stop();
    await assert.rejects(client.sayHello({}), {
      code: Code.Unavailable,
      rawMessage: "server is shutting down",
    });
  });
});

describe("await using", () => {
  test("ends when a running server is stopped, and not before", async () => {
    const server = createServer(empty);
    const release = withResolvers();
    server.onShutdown(() => release.promise);
    await server.start();
    let isDisposed = false;
    const disposed = dispose(server).then(() => {
      isDisposed = true;
    });
    await turns();
    assert.equal(server.state, "stopping");
    assert.equal(isDisposed, false);
    release.resolve();
    await disposed;
    assert.equal(server.state, "stopped");
  });

  test("aborts the signal of a server that never started, and may be repeated", async () => {
    const server = createServer(empty);
    const events: string[] = [];
    server.on("stop", () => events.push("stop"));
    await dispose(server);
    assert.equal(server.shutdownSignal.reason.rawMessage, "server is shutting down");
    await dispose(server);
    assert.deepEqual(events, ["stop"]);
    await assert.rejects(server.start(), { code: "INVALID_STATE" });
  });

  test("of a server that never started runs hooks once, and lets no start in between", async () => {
    const server = createServer(empty);
    const release = withResolvers();
    let runs = 0;
    server.onShutdown(() => {
      runs++;
      return release.promise;
    });
    const disposed = [dispose(server), dispose(server)];
    await turns();
    assert.equal(server.state, "stopping");
    await assert.rejects(server.start(), { code: "INVALID_STATE" });
    release.resolve();
    await Promise.all(disposed);
    assert.equal(runs, 1);
    assert.equal(server.state, "stopped");
  });

  test("waits for a stop under way", async () => {
    const server = createServer(empty);
    await server.start();
    const release = withResolvers();
    server.onShutdown(() => release.promise);
    const stopped = server.stop();
    let isDisposed = false;
    const disposed = dispose(server).then(() => {
      isDisposed = true;
    });
    await turns();
    assert.equal(isDisposed, false);
    release.resolve();
    await Promise.all([stopped, disposed]);
    assert.equal(server.state, "stopped");
  });

  test("of a server whose start fails leaves the failure to start()", async () => {
    const server = createServer({
      ...empty,
      eventBus: { start: () => Promise.reject(new Error("no broker")), stop() {} },
    });
    server.on("error", () => {});
    const started = assert.rejects(server.start(), { message: "no broker" });
    await dispose(server);
    await started;
    assert.equal(server.state, "stopped");
  });
});
