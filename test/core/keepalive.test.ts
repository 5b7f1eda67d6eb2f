import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:http2";
import { describe, type TestContext, test } from "node:test";
import type { HandlerContext } from "@connectrpc/connect";
import { type CreateServerOptions, defineService } from "connectum/core";
import { createFaultProxy, createTestCertificates, createTestServer } from "connectum/testing";
import { GreeterService } from "../../examples/greeter/gen/greeter/v1/greeter_pb.js";
import { RawHttp2 } from "../support/raw-http2.ts";
import { withResolvers } from "../support/with-resolvers.ts";

const authority = await createTestCertificates();
const pair = await authority.issue();
const keepalive = { intervalMs: 60_000, timeoutMs: 20_000 };

/** Lets the sessions end under the clock they began with: a mocked timer must not meet another clock. */
async function start(t: TestContext, options: Partial<CreateServerOptions>) {
  const started = await createTestServer({ t, ...options });
  t.after(() => turns());
  return started;
}

for (const wire of ["plaintext", "TLS"] as const) {
  const tls = wire === "TLS" ? pair : undefined;
  const ca = tls && authority.ca;

  describe(`keepalive over ${wire}`, () => {
    test("finds a peer with a call in flight that vanished without FIN, within interval and timeout", async (t) => {
      t.mock.timers.enable({ apis: ["setTimeout"] });
      const entered = withResolvers<HandlerContext>();
      const greeter = defineService(GreeterService, {
        sayHello(_, context) {
          context.signal.throwIfAborted();
          entered.resolve(context);
          return new Promise(() => {});
        },
      });
      const { port } = await start(t, { services: [greeter], tls, keepalive });
      const proxy = await createFaultProxy({ port });
      t.after(() => proxy.close());
      const client = connect(`${tls ? "https" : "http"}://127.0.0.1:${proxy.port}`, { ca });
      t.after(() => client.destroy());
      client.on("error", () => {});
      const call = client.request({
        ":method": "POST",
        ":path": "/greeter.v1.GreeterService/SayHello",
        "content-type": "application/json",
      });
      call.on("error", () => {});
      call.end("{}");
      const { signal } = await entered.promise;

      // As long as it answers it stays, however long the call takes.
      for (let round = 0; round < 3; round++) {
        const ping = once(client, "ping");
        t.mock.timers.tick(keepalive.intervalMs);
        await ping;
        await turns();
      }
      assert.equal(signal.aborted, false);

      proxy.swallow();
      t.mock.timers.tick(keepalive.intervalMs);
      await turns();
      t.mock.timers.tick(keepalive.timeoutMs - 1);
      await turns();
      assert.equal(signal.aborted, false);
      t.mock.timers.tick(1);
      await turns();
      assert.equal(signal.aborted, true);
    });

    test("finds an idle peer that vanished", async (t) => {
      t.mock.timers.enable({ apis: ["setTimeout"] });
      const { port } = await start(t, { tls, keepalive });
      const silent = await RawHttp2.connect(port, ca);
      await turns();
      t.mock.timers.tick(keepalive.intervalMs);
      await silent.next("PING");
      t.mock.timers.tick(keepalive.timeoutMs);
      await silent.closed;
    });

    test("keeps a peer whose answer is late while other bytes arrive", async (t) => {
      t.mock.timers.enable({ apis: ["setTimeout"] });
      const { port } = await start(t, { tls, keepalive });
      const slow = await RawHttp2.connect(port, ca);
      await turns();
      t.mock.timers.tick(keepalive.intervalMs);
      const ping = await slow.next("PING");
      for (let round = 0; round < 3; round++) {
        slow.send("WINDOW_UPDATE", 0, 0, Buffer.from([0, 0, 0, 1]));
        await turns();
        t.mock.timers.tick(keepalive.timeoutMs);
      }
      slow.acknowledge(ping);
      await turns();
      const before = slow.frames.length;
      t.mock.timers.tick(keepalive.intervalMs);
      await slow.next("PING", before);
      slow.socket.destroy();
    });
  });
}

test("keepalive false sends no PING", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { port } = await start(t, { keepalive: false });
  const client = await RawHttp2.connect(port);
  t.mock.timers.tick(1_000_000);
  await turns();
  assert.deepEqual([...new Set(client.names())], ["SETTINGS"]);
  client.socket.destroy();
});

async function turns(count = 50): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}
