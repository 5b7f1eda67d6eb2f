import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Code, createClient } from "@connectrpc/connect";
import { defineService } from "connectum/core";
import { createTimeoutInterceptor } from "connectum/interceptors";
import { assertConnectError, createFakeClock, createTestServer } from "connectum/testing";
import { GreeterService } from "../../examples/greeter/gen/greeter/v1/greeter_pb.js";

describe("createFakeClock", () => {
  test("time stands still until it is advanced, timers fire in order", async () => {
    const clock = createFakeClock({ now: 1_000 });
    try {
      const fired: string[] = [];
      setTimeout(() => fired.push("second"), 20);
      setTimeout(() => fired.push("first"), 10);
      assert.equal(Date.now(), 1_000);
      assert.equal(clock.pendingTimers, 2);
      const before = performance.now();
      await clock.advance(15);
      assert.deepEqual(fired, ["first"]);
      assert.equal(Date.now(), 1_015);
      assert.equal(performance.now() - before, 15);
      await clock.advance(5);
      assert.deepEqual(fired, ["first", "second"]);
      assert.equal(clock.now, 1_020);
    } finally {
      clock.dispose();
    }
  });

  test("gives back the real time", () => {
    const realTimeout = setTimeout;
    const clock = createFakeClock();
    assert.notEqual(setTimeout, realTimeout);
    clock.dispose();
    assert.equal(setTimeout, realTimeout);
    assert.ok(Date.now() > 1_000_000);
  });

  test("ends with the test it is given, unless it has ended before", async (t) => {
    const realTimeout = setTimeout;
    await t.test("a test", (inner) => {
      const first = createFakeClock({ t: inner });
      first.dispose();
      const second = createFakeClock({ t: inner });
      const faked = setTimeout;
      first.dispose();
      assert.equal(setTimeout, faked);
      assert.equal(second.now, 0);
    });
    assert.equal(setTimeout, realTimeout);
  });

  test("a handler's timeout passes without waiting, over a real socket", async () => {
    const testServer = await createTestServer({
      services: [
        defineService(GreeterService, {
          sayHello: (_, { signal }) =>
            new Promise((_, reject) => {
              arrived();
              signal.addEventListener("abort", () => reject(signal.reason));
            }),
        }),
      ],
      interceptors: [createTimeoutInterceptor({ timeoutMs: 60_000 })],
    });
    let arrived = () => {};
    const isThere = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const clock = createFakeClock();
    try {
      const call = createClient(GreeterService, testServer.transport).sayHello({});
      const refused = assertConnectError(call, Code.DeadlineExceeded);
      await isThere;
      await clock.advance(60_000);
      await refused;
    } finally {
      clock.dispose();
      await testServer.close();
    }
  });
});
