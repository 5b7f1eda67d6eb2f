import assert from "node:assert/strict";
import { test } from "node:test";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createLocalTransport, createServer } from "connectum/core";
import { Healthcheck, ServingStatus } from "connectum/healthcheck";
import { createDefaultInterceptors } from "connectum/interceptors";
import { createFakeClock } from "connectum/testing";
import { Health } from "../../src/healthcheck/gen/grpc/health/v1/health_pb.js";
import { ScriptService } from "../gen/connectum/script/v1/script_pb.js";
import { callKind, scripted } from "./doors.ts";
import { turn } from "./turn.ts";

const lookName = "connectum.script.v1.ScriptService/Look";

test("a downstream that fails half of the time: retries stay few, its method's circuit opens and closes, nothing else suffers", async (t) => {
  const clock = createFakeClock({ t });
  let isDown = true;
  let calls = 0;
  let downstream = 0;
  const changes: string[] = [];
  const health = Healthcheck();
  const server = createServer({
    services: [
      scripted(async function* ({ method }) {
        if (method.name !== "Look") {
          yield "untouched";
          return;
        }
        downstream++;
        if (isDown && downstream % 2 === 1) throw new ConnectError("down", Code.Unavailable);
        yield "up";
      }),
    ],
    protocols: [health],
    interceptors: createDefaultInterceptors({
      // Retries save some calls of those that fail, so fewer than half do.
      circuitBreaker: {
        errorThresholdPercentage: 40,
        volumeThreshold: 500,
        onStateChange: ({ method, state }) => changes.push(`${method} ${state}`),
      },
    }),
  });
  const transport = createLocalTransport(server);
  const client = createClient(ScriptService, transport);
  const probe = createClient(Health, transport);
  health.manager.update(ServingStatus.SERVING);

  const flood = async (count: number) => {
    const all = Array.from({ length: count }, () => {
      calls++;
      return callKind(client, "unary");
    });
    for (let step = 0; step < 20; step++) {
      await turn();
      await clock.advance(20);
    }
    return Promise.all(all);
  };
  const looksWell = async () => {
    assert.equal((await client.once({})).content?.text, "untouched");
    assert.equal((await probe.check({})).status, ServingStatus.SERVING);
  };

  for (let batch = 0; batch < 10; batch++) {
    await flood(100);
    await looksWell();
    // What an open circuit refuses is no reason for more attempts.
    if (changes.length > 0) break;
    assert.ok(downstream <= calls * 1.1, `${downstream} attempts for ${calls} calls`);
  }
  assert.deepEqual(changes, [`${lookName} open`]);
  assert.ok(calls > 400, "it opened by volume, after the retries were counted");

  const before = downstream;
  const refused = await flood(100);
  assert.equal(downstream, before, "nothing reaches a downstream behind an open circuit");
  for (const { error } of refused) assert.equal(error?.code, Code.Unavailable);
  await looksWell();

  isDown = false;
  await clock.advance(30_000);
  assert.deepEqual((await callKind(client, "unary")).texts, ["up"]);
  await turn();
  assert.deepEqual(changes, [`${lookName} open`, `${lookName} halfOpen`, `${lookName} closed`]);
  for (const { texts } of await flood(100)) assert.deepEqual(texts, ["up"]);
  await looksWell();
});

test("a server that is full still answers its probe", async (t) => {
  const waiting: Array<() => void> = [];
  const health = Healthcheck();
  const server = createServer({
    services: [
      scripted(async function* () {
        await new Promise<void>((resolve) => waiting.push(resolve));
        yield "text";
      }),
    ],
    protocols: [health],
    interceptors: createDefaultInterceptors({ bulkhead: { maxConcurrent: 1, maxQueue: 0 } }),
  });
  const transport = createLocalTransport(server);
  const client = createClient(ScriptService, transport);
  const probe = createClient(Health, transport);
  health.manager.update(ServingStatus.SERVING);
  const watchers = Array.from({ length: 100 }, () => probe.watch({})[Symbol.asyncIterator]());
  await Promise.all(watchers.map((watcher) => watcher.next()));
  const running = client.once({});
  await turn();
  assert.equal((await callKind(client, "unary")).error?.code, Code.ResourceExhausted);
  assert.equal((await probe.check({})).status, ServingStatus.SERVING);
  for (const resolve of waiting) resolve();
  await running;
  t.diagnostic("100 watchers hold no place");
  health.manager.update(ServingStatus.NOT_SERVING);
  await Promise.all(watchers.map((watcher) => watcher.next()));
});

test("with the defaults a handler that hangs holds 1000 calls, 1000 wait, the rest is refused; all end at the deadline", async (t) => {
  const clock = createFakeClock({ t });
  let entered = 0;
  const server = createServer({
    services: [
      scripted(async function* () {
        yield* [];
        entered++;
        await new Promise(() => {});
      }),
    ],
    interceptors: createDefaultInterceptors(),
  });
  const client = server.localClient(ScriptService);
  const ended = new Map<Code | undefined, number>();
  const calls = Array.from({ length: 3_000 }, async () => {
    const { error } = await callKind(client, "unary");
    ended.set(error?.code, (ended.get(error?.code) ?? 0) + 1);
  });
  await turn();
  await clock.advance(29_999);
  assert.deepEqual([...ended], [[Code.ResourceExhausted, 1_000]]);
  assert.equal(entered, 1_000);
  await clock.advance(1);
  await Promise.all(calls);
  assert.deepEqual(Object.fromEntries(ended), {
    [Code.ResourceExhausted]: 1_000,
    [Code.DeadlineExceeded]: 2_000,
  });
  assert.equal(entered, 1_000, "nobody enters whose time is over");
});
