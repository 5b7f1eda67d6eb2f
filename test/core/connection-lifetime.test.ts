import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer as createNetServer } from "node:net";
import { describe, type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { createClient, type ServiceImpl } from "@connectrpc/connect";
import { type CreateServerOptions, defineService } from "connectum/core";
import { createTestCertificates, createTestServer } from "connectum/testing";
import { GreeterService } from "../../examples/greeter/gen/greeter/v1/greeter_pb.js";
import { goawayOf, RawHttp2 } from "../support/raw-http2.ts";
import { createTransport, grid } from "../support/transports.ts";
import { withResolvers } from "../support/with-resolvers.ts";

type Greeter = Partial<ServiceImpl<typeof GreeterService>>;

const path = "/greeter.v1.GreeterService/SayHello";
const authority = await createTestCertificates();
const pair = await authority.issue();

async function start(t: TestContext, greeter: Greeter, options: Partial<CreateServerOptions>) {
  const services = [defineService(GreeterService, greeter)];
  const started = await createTestServer({ t, services, keepalive: false, ...options });
  // Connections end under the clock they began with: a mocked timer must not meet another clock.
  t.after(() => turns());
  return started;
}

/** A raw HTTP/2 client that leaves when asked to, so that it does not hold up the end of its test. */
async function connectHttp2(port: number): Promise<RawHttp2> {
  const client = await RawHttp2.connect(port);
  client.acknowledgesPings = true;
  return client;
}

/** A greeter whose call waits to be released. */
function waitingGreeter() {
  const entered = withResolvers<AbortSignal>();
  const release = withResolvers();
  const greeter: Greeter = {
    async sayHello(_, { signal }) {
      entered.resolve(signal);
      await release.promise;
      return { greeting: "done" };
    },
  };
  return { greeter, entered: entered.promise, release: release.resolve };
}

describe("maxConnectionAgeMs", () => {
  for (const wire of ["plaintext", "TLS"] as const) {
    for (const name of grid) {
      test(`moves a ${name} client over ${wire} to a new replica without a failed call`, async (t) => {
        const options = { tls: wire === "TLS" ? pair : undefined, maxConnectionAgeMs: 50 };
        const replica = (greeting: string) => {
          const sayHello = async () => {
            await sleep(5);
            return { greeting };
          };
          return start(t, { sayHello }, options);
        };
        const [first, second] = [await replica("first"), await replica("second")];
        const balancer = await startBalancer(t, first.port);
        const baseUrl = `${options.tls ? "https" : "http"}://127.0.0.1:${balancer.port}`;
        const transport = createTransport(name, baseUrl, { ca: authority.ca });
        const client = createClient(GreeterService, transport);
        assert.equal((await client.sayHello({})).greeting, "first");
        balancer.target = second.port;
        while ((await client.sayHello({})).greeting !== "second");
        assert.equal(first.server.state, "running");
      });
    }
  }

  test("varies by 10 % either way", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const random = t.mock.method(Math, "random", () => 0);
    const { port } = await start(t, {}, { maxConnectionAgeMs: 1_000, handshakeTimeout: 5_000 });
    const early = await connectHttp2(port);
    random.mock.mockImplementation(() => 1 - 2 ** -53);
    const late = await connectHttp2(port);
    await turns();
    t.mock.timers.tick(899);
    await turns();
    assert.ok(!early.names().includes("PING"));
    t.mock.timers.tick(1);
    assert.equal(goawayOf(await early.next("GOAWAY")).lastStreamId, 2 ** 31 - 1);
    t.mock.timers.tick(199);
    await turns();
    assert.ok(!late.names().includes("PING"));
    t.mock.timers.tick(1);
    await late.next("GOAWAY");
  });

  test("leaves calls in flight alone, for ever without a grace", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const { greeter, entered, release } = waitingGreeter();
    const { port } = await start(t, greeter, { maxConnectionAgeMs: 1_000 });
    const client = await connectHttp2(port);
    client.call(1, path);
    const signal = await entered;
    t.mock.timers.tick(1_100);
    await client.next("GOAWAY");
    t.mock.timers.tick(10_000_000);
    await turns();
    assert.equal(signal.aborted, false);
    release();
    await client.next("DATA");
    await client.closed;
  });

  for (const version of ["HTTP/1.1", "HTTP/2"] as const) {
    test(`cuts ${version} calls that outlast maxConnectionAgeGraceMs`, async (t) => {
      t.mock.timers.enable({ apis: ["setTimeout"] });
      const { greeter, entered } = waitingGreeter();
      const ages = { maxConnectionAgeMs: 1_000, maxConnectionAgeGraceMs: 500 };
      const { port } = await start(t, greeter, ages);
      if (version === "HTTP/2") (await connectHttp2(port)).call(1, path);
      else connectHttp1(port).write(request);
      const signal = await entered;
      t.mock.timers.tick(1_100);
      await turns();
      t.mock.timers.tick(499);
      await turns();
      assert.equal(signal.aborted, false);
      t.mock.timers.tick(1);
      await turns();
      assert.equal(signal.aborted, true);
    });
  }

  test("asks HTTP/1.1 clients with Connection: close", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const { port } = await start(t, { sayHello: () => ({}) }, { maxConnectionAgeMs: 1_000 });
    const socket = connectHttp1(port);
    socket.write(request);
    assert.match(String(await once(socket, "data")), /connection: keep-alive/i);
    t.mock.timers.tick(1_100);
    socket.write(request);
    assert.match(String(await once(socket, "data")), /connection: close/i);
    await once(socket, "close");
  });
});

describe("maxConnectionIdleMs", () => {
  test("closes an HTTP/2 connection without calls, and none with one", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const { greeter, entered, release } = waitingGreeter();
    const { port } = await start(t, greeter, { maxConnectionIdleMs: 1_000 });
    const idle = await connectHttp2(port);
    const busy = await connectHttp2(port);
    busy.call(1, path);
    await entered;
    t.mock.timers.tick(1_100);
    await idle.closed;
    t.mock.timers.tick(10_000);
    await turns();
    assert.ok(!busy.names().includes("PING"));

    release();
    await busy.next("DATA");
    await turns();
    t.mock.timers.tick(899);
    await turns();
    assert.ok(!busy.names().includes("PING"));
    t.mock.timers.tick(201);
    await busy.closed;
  });

  test("closes an HTTP/1.1 connection without calls, and none with one", async (t) => {
    const { greeter, entered, release } = waitingGreeter();
    const { port } = await start(t, greeter, { maxConnectionIdleMs: 20 });
    const busy = connectHttp1(port);
    busy.write(request);
    await entered;
    const idle = connectHttp1(port);
    idle.write("GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n");
    idle.resume();
    await once(idle, "close");
    release();
    assert.match(String(await once(busy, "data")), /^HTTP\/1\.1 200 /);
    busy.resume();
    await once(busy, "close");
  });
});

const request = [
  `POST ${path} HTTP/1.1`,
  "Host: localhost",
  "Content-Type: application/json",
  "Content-Length: 2",
  "",
  "{}",
].join("\r\n");

function connectHttp1(port: number) {
  return connect(port, "127.0.0.1")
    .setNoDelay(true)
    .on("error", () => {});
}

/** Passes each new connection to the target of the moment; that of a fault proxy stays the same. */
async function startBalancer(t: TestContext, target: number) {
  const balancer = createNetServer((downstream) => {
    const upstream = connect(result.target, "127.0.0.1");
    downstream.on("error", () => upstream.destroy()).pipe(upstream);
    upstream.on("error", () => downstream.destroy()).pipe(downstream);
  });
  balancer.listen(0, "127.0.0.1");
  await once(balancer, "listening");
  t.after(() => balancer.close());
  const result = { target, port: (balancer.address() as AddressInfo).port };
  return result;
}

async function turns(count = 50): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}
