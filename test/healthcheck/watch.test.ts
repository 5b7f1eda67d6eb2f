import assert from "node:assert/strict";
import { createHook } from "node:async_hooks";
import { describe, test } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { Healthcheck, ServingStatus } from "connectum/healthcheck";
import { createTransport, grid } from "../support/transports.ts";
import {
  catalogName,
  drainBySignal,
  healthClient,
  ObservedManager,
  serveHealth,
  signalServer,
  Watch,
} from "./serve-health.ts";

const { UNKNOWN, SERVING, NOT_SERVING, SERVICE_UNKNOWN } = ServingStatus;

describe("Watch", () => {
  for (const name of grid) {
    test(`sends the status at once and then every change, over ${name}`, async (t) => {
      const health = Healthcheck();
      const { baseUrl } = await serveHealth(t, health);
      const client = healthClient(createTransport(name, baseUrl));
      const overall = new Watch(client);
      const named = new Watch(client, catalogName);
      assert.equal(await overall.next(), SERVING);
      assert.equal(await named.next(), SERVING);
      for (const status of [UNKNOWN, SERVING, NOT_SERVING, SERVING]) {
        health.manager.update(status, catalogName);
        assert.equal(await named.next(), status);
        assert.equal(await overall.next(), status === SERVING ? SERVING : NOT_SERVING);
      }
      overall.leave();
      named.leave();
    });
  }

  test("an unknown name gets SERVICE_UNKNOWN, and hears when it becomes known", async (t) => {
    const health = Healthcheck();
    const { client } = await serveHealth(t, health);
    const watch = new Watch(client, "database");
    assert.equal(await watch.next(), SERVICE_UNKNOWN);
    health.manager.register("database", SERVING);
    assert.equal(await watch.next(), SERVING);
    health.manager.unregister("database");
    assert.equal(await watch.next(), SERVICE_UNKNOWN);
    watch.leave();
  });

  test("sees a change within 50 ms, and no timer was involved", async (t) => {
    const health = Healthcheck();
    const { client } = await serveHealth(t, health);
    const watch = new Watch(client);
    await watch.next();
    const timers = countTimersOfHealthcheck();
    t.after(timers.stop);
    const latencies: number[] = [];
    for (let round = 0; round < 9; round++) {
      const begin = performance.now();
      health.manager.update(round % 2 === 0 ? NOT_SERVING : SERVING);
      await watch.next();
      latencies.push(performance.now() - begin);
    }
    const median = latencies.sort((a, b) => a - b)[4] ?? Number.NaN;
    assert.ok(median < 50, `median ${median} ms`);
    assert.equal(timers.count(), 0);
    watch.leave();
  });

  test("a burst of changes costs few messages and ends with the latest", async (t) => {
    const health = Healthcheck();
    const { client } = await serveHealth(t, health);
    const watch = new Watch(client, catalogName);
    await watch.next();
    for (let round = 0; round < 5_000; round++) {
      health.manager.update(round % 2 === 0 ? NOT_SERVING : UNKNOWN);
    }
    health.manager.update(SERVING);
    const seen = [await watch.next()];
    while (seen.at(-1) !== SERVING) seen.push(await watch.next());
    assert.ok(seen.length <= 3, `${seen.length} messages`);
    watch.leave();
  });

  test("stops listening when the last client has left", async (t) => {
    const manager = new ObservedManager();
    const { client } = await serveHealth(t, Healthcheck({ manager }));
    assert.equal(manager.listeners, 0);
    const first = new Watch(client);
    const second = new Watch(client, catalogName);
    await first.next();
    await second.next();
    assert.equal(manager.listeners, 1);
    first.leave();
    second.leave();
    await manager.left;
    assert.equal(manager.listeners, 0);
  });

  test("ends with deadline_exceeded at the client's deadline", async (t) => {
    const { client } = await serveHealth(t, Healthcheck());
    await assert.rejects(
      async () => {
        for await (const _ of client.watch({}, { timeoutMs: 50 }));
      },
      (error) => ConnectError.from(error).code === Code.DeadlineExceeded,
    );
  });

  test("gets NOT_SERVING when the server begins to stop, and ends cleanly", async (t) => {
    const { client, server } = await serveHealth(t, Healthcheck());
    const watches = ["", catalogName, "unknown"].map((service) => new Watch(client, service));
    for (const watch of watches) await watch.next();
    const stopped = server.stop();
    for (const watch of watches) {
      assert.equal(await watch.next(), NOT_SERVING);
      assert.equal(await watch.next(), undefined);
    }
    await stopped;
  });

  test("stays open through the drain delay, and shows no later update", async (t) => {
    const health = Healthcheck();
    const { client, server } = await serveHealth(t, health, drainBySignal);
    const stopped = new Promise<void>((resolve) => server.on("stop", () => resolve()));
    const early = new Watch(client);
    assert.equal(await early.next(), SERVING);
    signalServer();
    assert.equal(await early.next(), NOT_SERVING);
    health.manager.update(SERVING);
    const late = new Watch(client);
    assert.equal(await late.next(), NOT_SERVING);
    const ends = [early.next(), late.next()];
    assert.equal(server.shutdownSignal.aborted, false);
    assert.equal((await client.check({})).status, NOT_SERVING);
    signalServer();
    await stopped;
    // The second signal breaks connections, so the streams may end with an error here.
    await Promise.allSettled(ends);
  });

  test("watchInterval sends at most one message per interval, the latest", async (t) => {
    const health = Healthcheck({ watchInterval: 1_000 });
    const { client } = await serveHealth(t, health);
    t.mock.timers.enable({ apis: ["setTimeout", "Date"] });
    const watch = new Watch(client, catalogName);
    assert.equal(await watch.next(), SERVING);
    health.manager.update(NOT_SERVING);
    health.manager.update(UNKNOWN);
    t.mock.timers.tick(999);
    health.manager.update(NOT_SERVING);
    t.mock.timers.tick(1);
    assert.equal(await watch.next(), NOT_SERVING);
    t.mock.timers.tick(1_000);
    health.manager.update(SERVING);
    assert.equal(await watch.next(), SERVING);
    watch.leave();
    t.mock.timers.reset();
  });

  test("watchInterval runs a timer only while a change waits", async (t) => {
    const health = Healthcheck({ watchInterval: 200 });
    const { client } = await serveHealth(t, health);
    const timers = countTimersOfHealthcheck();
    t.after(timers.stop);
    const watch = new Watch(client);
    await watch.next();
    assert.equal(timers.count(), 0);
    health.manager.update(NOT_SERVING);
    assert.equal(await watch.next(), NOT_SERVING);
    assert.equal(timers.count(), 1);
    watch.leave();
  });

  test("watchInterval does not delay the NOT_SERVING of a drain", async (t) => {
    const { client, server } = await serveHealth(t, Healthcheck({ watchInterval: 600_000 }));
    const watch = new Watch(client);
    assert.equal(await watch.next(), SERVING);
    const stopped = server.stop();
    assert.equal(await watch.next(), NOT_SERVING);
    assert.equal(await watch.next(), undefined);
    await stopped;
  });

  test("1000 idle watchers run no timer, and all hear of a change", async (t) => {
    const health = Healthcheck();
    const { baseUrl } = await serveHealth(t, health);
    const clients = Array.from({ length: 4 }, () => healthClient(createGrpcTransport({ baseUrl })));
    await Promise.all(clients.map((client) => client.check({})));
    const timersBefore = activeTimers();
    const timers = countTimersOfHealthcheck();
    t.after(timers.stop);
    const watches = clients.flatMap((client) =>
      Array.from({ length: 250 }, (_, index) => new Watch(client, index % 2 ? catalogName : "")),
    );
    await Promise.all(watches.map((watch) => watch.next()));
    assert.equal(timers.count(), 0);
    assert.ok(activeTimers() <= timersBefore, `${activeTimers()} timers, ${timersBefore} before`);
    health.manager.update(NOT_SERVING);
    const seen = await Promise.all(watches.map((watch) => watch.next()));
    assert.deepEqual(new Set(seen), new Set([NOT_SERVING]));
    assert.equal(seen.length, 1_000);
    for (const watch of watches) watch.leave();
  });
});

function activeTimers(): number {
  return process.getActiveResourcesInfo().filter((type) => type === "Timeout").length;
}

/** Counts the timers that health creates, those that do not keep the process alive included. */
function countTimersOfHealthcheck() {
  let timers = 0;
  const hook = createHook({
    init(_id, type) {
      if (type !== "Timeout") return;
      if (/(src|dist)\/healthcheck\//.test(new Error().stack ?? "")) timers++;
    },
  }).enable();
  return { count: () => timers, stop: () => hook.disable() };
}
