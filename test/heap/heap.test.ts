import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { streams, unaryCalls } from "./loads.ts";
import { MeasuredServer } from "./measured-server.ts";
import { readNothing, sendEndlessly } from "./slow-clients.ts";

// A small form of test/heap/run.ts.
const MEBIBYTE = 1024 * 1024;
const WATCH_MS = 1_500;
const SAMPLES = 3;

test("the heap does not grow with the number of calls", async (t) => {
  const server = await MeasuredServer.start();
  t.after(() => server.stop());
  const loads = [
    { load: unaryCalls, first: 2_000, more: 8_000 },
    { load: streams, first: 100, more: 400 },
  ];
  for (const { load, first, more } of loads) {
    await load(server.port, first);
    const before = (await server.sample()).heap;
    await load(server.port, more);
    const growth = (await server.sample()).heap - before;
    // 100 bytes that each call leaves behind would be as much.
    assert.ok(growth < MEBIBYTE, `${load.name}: the heap grew by ${growth} bytes`);
  }
});

describe("backpressure", { concurrency: true }, () => {
  for (const version of [1, 2] as const) {
    test(`a slow reader over HTTP/${version} stops the generator`, async (t) => {
      const server = await MeasuredServer.start();
      t.after(() => server.stop());
      t.after(await readNothing(server.port, version));
      const [first, ...more] = await server.watch(WATCH_MS, SAMPLES);
      assert.ok(first.made > 0);
      for (const { made } of more) assert.equal(made, first.made);
    });

    test(`a slow handler over HTTP/${version} holds back its client`, async (t) => {
      const server = await MeasuredServer.start();
      t.after(() => server.stop());
      t.after(sendEndlessly(server.port, version));
      const [first, ...more] = await server.watch(WATCH_MS, SAMPLES);
      const last = more.at(-1) ?? first;
      assert.ok(last.taken > first.taken, "the handler goes on");
      assert.ok(
        last.rss - first.rss < 16 * MEBIBYTE,
        `memory grew by ${last.rss - first.rss} bytes`,
      );
    });
  }

  test("in process both sides wait for each other", async (t) => {
    const server = await MeasuredServer.start();
    t.after(() => server.stop());
    server.callLocally();
    const [first, ...more] = await server.watch(WATCH_MS, SAMPLES);
    assert.ok(first.made > 0 && first.made <= 3, `${first.made} messages made`);
    for (const { made, taken, handedOut } of more) {
      assert.equal(made, first.made);
      assert.ok(handedOut - taken <= 2, `${handedOut} handed out, ${taken} taken`);
    }
  });
});
