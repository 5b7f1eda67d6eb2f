import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { describe, type TestContext, test } from "node:test";
import {
  Code,
  ConnectError,
  createClient,
  type HandlerContext,
  type ServiceImpl,
} from "@connectrpc/connect";
import {
  type CreateServerOptions,
  createLocalTransport,
  createServer,
  defineService,
  type Server,
} from "connectum/core";
import { GreeterService } from "../../examples/greeter/gen/greeter/v1/greeter_pb.js";
import { createTransport, grid } from "../support/transports.ts";
import { withResolvers } from "../support/with-resolvers.ts";

type Greeter = Partial<ServiceImpl<typeof GreeterService>>;

const doors = [...grid, "in process"] as const;

async function start(
  t: TestContext,
  greeter: Greeter,
  shutdown: CreateServerOptions["shutdown"],
): Promise<Server> {
  const server = createServer({
    services: [defineService(GreeterService, greeter)],
    port: 0,
    host: "127.0.0.1",
    // Its timers start before a test mocks them and would outlive it.
    keepalive: false,
    shutdown,
  });
  await server.start();
  t.after(async () => {
    if (server.state === "running") await server.stop();
  });
  return server;
}

function clientOf(door: (typeof doors)[number], server: Server) {
  if (door === "in process") return createClient(GreeterService, createLocalTransport(server));
  const { port } = server.address as { port: number };
  return createClient(GreeterService, createTransport(door, `http://127.0.0.1:${port}`));
}

async function turns(count = 30): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** Resolves or rejects like `promise`, but fails the test if `other` settles first. */
async function collect(stream: AsyncIterable<{ greeting: string }>): Promise<string[]> {
  const greetings: string[] = [];
  for await (const { greeting } of stream) greetings.push(greeting);
  return greetings;
}

for (const door of doors) {
  describe(`stop() with calls over ${door}`, () => {
    test("a unary call in flight ends with its answer, its signal untouched", async (t) => {
      const entered = withResolvers<HandlerContext>();
      const release = withResolvers();
      const server = await start(
        t,
        {
          async sayHello(_, context) {
            entered.resolve(context);
            await release.promise;
            return { greeting: `aborted: ${context.signal.aborted}` };
          },
        },
        { timeout: 60_000 },
      );
      const answer = clientOf(door, server).sayHello({});
      await entered.promise;
      const stopped = server.stop();
      await turns();
      assert.equal(server.state, "stopping");
      release.resolve();
      assert.equal((await answer).greeting, "aborted: false");
      await stopped;
    });

    test("what still runs late is aborted with unavailable", async (t) => {
      t.mock.timers.enable({ apis: ["setTimeout"] });
      const entered = withResolvers();
      const server = await start(
        t,
        {
          async *sayHelloInLanguages(_, { signal }) {
            yield { greeting: "one" };
            entered.resolve();
            await once(signal, "abort");
            throw signal.reason;
          },
        },
        { timeout: 10_000, abortGraceMs: 4_000 },
      );
      const received: string[] = [];
      const reading = (async () => {
        for await (const { greeting } of clientOf(door, server).sayHelloInLanguages({})) {
          received.push(greeting);
        }
      })();
      await entered.promise;
      const stopped = server.stop();
      await turns();
      t.mock.timers.tick(5_999);
      await turns();
      assert.equal(server.state, "stopping");
      t.mock.timers.tick(1);
      await assert.rejects(reading, {
        code: Code.Unavailable,
        rawMessage: "server is shutting down",
      });
      assert.deepEqual(received, ["one"]);
      await turns();
      t.mock.timers.tick(1_000);
      await stopped;
    });

    test("an endless stream that listens to shutdownSignal ends by itself", async (t) => {
      const entered = withResolvers();
      let server: Server;
      const greeter: Greeter = {
        async *sayHelloInLanguages() {
          yield { greeting: "one" };
          entered.resolve();
          await once(server.shutdownSignal, "abort");
          yield { greeting: "last" };
        },
      };
      server = await start(t, greeter, { timeout: 60_000 });
      const reading = collect(clientOf(door, server).sayHelloInLanguages({}));
      await entered.promise;
      await Promise.all([server.stop(), reading]);
      assert.deepEqual(await reading, ["one", "last"]);
    });

    test("a handler that ignores everything is cut at timeout", async (t) => {
      t.mock.timers.enable({ apis: ["setTimeout"] });
      const entered = withResolvers();
      const server = await start(
        t,
        {
          sayHello() {
            entered.resolve();
            return new Promise(() => {});
          },
        },
        { timeout: 10_000 },
      );
      const answer = clientOf(door, server).sayHello({});
      answer.catch(() => {});
      await entered.promise;
      const stopped = server.stop();
      await turns();
      t.mock.timers.tick(9_999);
      await turns();
      assert.equal(server.state, "stopping");
      t.mock.timers.tick(1);
      await stopped;
      await assert.rejects(answer, ConnectError);
    });

    test("with forceCloseOnTimeout false it is waited for", async (t) => {
      t.mock.timers.enable({ apis: ["setTimeout"] });
      const entered = withResolvers();
      const release = withResolvers();
      const server = await start(
        t,
        {
          async sayHello() {
            entered.resolve();
            await release.promise;
            return { greeting: "late" };
          },
        },
        { timeout: 10_000, forceCloseOnTimeout: false },
      );
      const answer = clientOf(door, server).sayHello({});
      await entered.promise;
      const stopped = server.stop();
      await turns();
      t.mock.timers.tick(30_000);
      await turns();
      assert.equal(server.state, "stopping");
      release.resolve();
      assert.equal((await answer).greeting, "late");
      await turns();
      t.mock.timers.tick(1_000);
      await stopped;
    });

    test("for drainDelayMs everything is still served", async (t) => {
      t.mock.timers.enable({ apis: ["setTimeout"] });
      const server = await start(
        t,
        { sayHello: () => ({ greeting: "served" }) },
        { timeout: 10_000, drainDelayMs: 5_000 },
      );
      const stopped = server.stop();
      assert.equal(server.shutdownSignal.aborted, false);
      t.mock.timers.tick(4_999);
      await turns();
      assert.equal((await clientOf(door, server).sayHello({})).greeting, "served");
      assert.equal(server.shutdownSignal.aborted, false);
      t.mock.timers.tick(1);
      await turns();
      assert.equal(server.shutdownSignal.aborted, true);
      t.mock.timers.tick(1_000);
      await stopped;
    });
  });
}

describe("stop()", () => {
  test("a second signal ends the drain at once", async (t) => {
    const entered = withResolvers();
    const server = await start(
      t,
      {
        sayHello() {
          entered.resolve();
          return new Promise(() => {});
        },
      },
      { autoShutdown: true, signals: ["SIGCONT"], timeout: 60_000, drainDelayMs: 50_000 },
    );
    const answer = clientOf("gRPC h2", server).sayHello({});
    answer.catch(() => {});
    await entered.promise;
    const stopped = new Promise<void>((resolve) => server.once("stop", () => resolve()));
    process.emit("SIGCONT", "SIGCONT");
    await turns();
    assert.equal(server.state, "stopping");
    process.emit("SIGCONT", "SIGCONT");
    await stopped;
    await assert.rejects(answer, ConnectError);
  });

  test("HTTP/1.1 answers carry Connection: close from the beginning of the stop, and rest before the port closes", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const server = await start(
      t,
      { sayHello: () => ({ greeting: "hi" }) },
      { timeout: 60_000, drainDelayMs: 50_000 },
    );
    const { port } = server.address as { port: number };
    const post = () =>
      fetch(`http://127.0.0.1:${port}/greeter.v1.GreeterService/SayHello`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: "{}",
      });
    assert.equal((await post()).headers.get("connection"), "keep-alive");
    const stopped = server.stop();
    assert.equal((await post()).headers.get("connection"), "close");
    t.mock.timers.tick(49_000);
    // Clients that opened a connection for each call would have one reset when the port closes.
    assert.equal((await post()).headers.get("connection"), "keep-alive");
    t.mock.timers.tick(1_000);
    await turns();
    t.mock.timers.tick(1_000);
    await stopped;
  });

  test("an idle HTTP/1.1 connection stays for a request on its way, and closes after a second", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const server = await start(t, { sayHello: () => ({ greeting: "hi" }) }, { timeout: 60_000 });
    const { port } = server.address as { port: number };
    const open = async () => {
      const socket = connect(port, "127.0.0.1");
      socket.write(request);
      await once(socket, "data");
      return socket;
    };
    const late = await open();
    const idle = await open();
    const stopped = server.stop();
    await turns();
    t.mock.timers.tick(999);
    late.write(request);
    const [answer] = (await once(late, "data")) as [Buffer];
    assert.match(answer.toString(), /^HTTP\/1\.1 200 [\s\S]*connection: close/i);
    const idleClosed = once(idle, "close");
    idle.resume();
    t.mock.timers.tick(1);
    await idleClosed;
    await stopped;
  });
});

const request = [
  "POST /greeter.v1.GreeterService/SayHello HTTP/1.1",
  "Host: localhost",
  "Content-Type: application/json",
  "Content-Length: 2",
  "",
  "{}",
].join("\r\n");
