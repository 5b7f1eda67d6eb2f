import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Code, type ConnectError } from "@connectrpc/connect";
import { createBulkheadInterceptor } from "connectum/interceptors";
import { assertConnectError, createFakeClock } from "connectum/testing";
import { RetryInfoSchema } from "../../src/interceptors/gen/google/rpc/error_details_pb.js";
import { withResolvers } from "../support/with-resolvers.ts";
import { callKind, everywhere, failure, localClient, scripted } from "./doors.ts";
import { turn } from "./turn.ts";

/** A handler that waits until it is let go. */
function gated() {
  let entered = 0;
  const waiting: Array<() => void> = [];
  return {
    get entered() {
      return entered;
    },
    async *behaviour() {
      entered++;
      await new Promise<void>((resolve) => waiting.push(resolve));
      yield "done";
    },
    release: () => waiting.shift()?.(),
  };
}

describe("createBulkheadInterceptor", () => {
  test("runs so many, queues so many, refuses the rest before any handler runs", async (t) => {
    for (const streams of [false, true]) {
      const gate = gated();
      const services = [scripted(gate.behaviour)];
      const interceptors = [createBulkheadInterceptor({ maxConcurrent: 1, maxQueue: 1, streams })];
      await everywhere(t, { services, interceptors }, async (client, kind) => {
        if (!streams && kind !== "unary") return;
        const before = gate.entered;
        const calls = [callKind(client, kind), callKind(client, kind), callKind(client, kind)];
        const refused = (await Promise.race(calls)).error as ConnectError;
        assert.equal(refused.code, Code.ResourceExhausted);
        assert.match(refused.rawMessage, /1 run and 1 of at most 1 wait/);
        assert.equal(refused.findDetails(RetryInfoSchema)[0]?.retryDelay?.seconds, 1n);
        while (gate.entered === before) await turn();
        assert.equal(gate.entered - before, 1);
        gate.release();
        while (gate.entered - before < 2) await turn();
        gate.release();
        const answers = await Promise.all(calls);
        assert.equal(answers.filter(({ error }) => error === undefined).length, 2);
      });
    }
  });

  test("streams take no place by default", async (t) => {
    const gate = gated();
    const client = await localClient(
      t,
      [createBulkheadInterceptor({ maxConcurrent: 1, maxQueue: 0 })],
      gate.behaviour,
    );
    const streams = [callKind(client, "server streaming"), callKind(client, "server streaming")];
    const unary = callKind(client, "unary");
    await turn();
    assert.equal(gate.entered, 3);
    for (let index = 0; index < 3; index++) gate.release();
    for (const { error } of await Promise.all([...streams, unary])) assert.equal(error, undefined);
  });

  test("a stream that is left gives its place back", async (t) => {
    const client = await localClient(
      t,
      [createBulkheadInterceptor({ maxConcurrent: 1, maxQueue: 0, streams: true })],
      async function* () {
        yield "first";
        yield "second";
        yield "third";
      },
    );
    for (let round = 0; round < 3; round++) {
      const controller = new AbortController();
      for await (const { content } of client.download({}, { signal: controller.signal })) {
        assert.equal(content?.text, "first");
        break;
      }
      controller.abort();
      await turn();
    }
  });

  test("skipMethods take no place, and wait for none", async (t) => {
    const gate = gated();
    const skipMethods = ["connectum.script.v1.ScriptService/Look"];
    const client = await localClient(
      t,
      [createBulkheadInterceptor({ maxConcurrent: 1, maxQueue: 0, skipMethods })],
      gate.behaviour,
    );
    const calls = [client.once({}), client.look({}), client.look({})];
    await turn();
    assert.equal(gate.entered, 3);
    for (let index = 0; index < 3; index++) gate.release();
    await Promise.all(calls);
  });

  test("first come, first served", async (t) => {
    const order: string[] = [];
    const gates = new Map<string, () => void>();
    const client = await localClient(
      t,
      [createBulkheadInterceptor({ maxConcurrent: 1, maxQueue: 10 })],
      async function* ({ requestHeader }) {
        const name = requestHeader.get("x-name") ?? "";
        order.push(name);
        await new Promise<void>((resolve) => gates.set(name, resolve));
        yield name;
      },
    );
    const names = ["a", "b", "c", "d"];
    const calls = names.map((name) => client.once({}, { headers: { "x-name": name } }));
    for (const [index, name] of names.entries()) {
      await turn();
      assert.deepEqual(order, names.slice(0, index + 1));
      gates.get(name)?.();
      await calls[index];
    }
  });

  test("a queued call whose client leaves frees its place at once", async (t) => {
    const gate = gated();
    const client = await localClient(
      t,
      [createBulkheadInterceptor({ maxConcurrent: 1, maxQueue: 1 })],
      gate.behaviour,
    );
    const running = client.once({});
    const controller = new AbortController();
    const leaving = failure(client.once({}, { signal: controller.signal }));
    await turn();
    await assertConnectError(client.once({}), Code.ResourceExhausted);
    controller.abort();
    assert.equal((await leaving).code, Code.Canceled);
    const queued = client.once({});
    await turn();
    gate.release();
    await running;
    while (gate.entered < 2) await turn();
    gate.release();
    assert.equal((await queued).content?.text, "done");
  });

  test("queueTimeoutMs limits the wait; without it the deadline does", async (t) => {
    const clock = createFakeClock({ t });
    const gate = gated();
    const client = await localClient(
      t,
      [createBulkheadInterceptor({ maxConcurrent: 1, queueTimeoutMs: 100 })],
      gate.behaviour,
    );
    const running = client.once({});
    const waiting = failure(client.once({}));
    await turn();
    await clock.advance(100);
    assert.equal((await waiting).code, Code.ResourceExhausted);
    const late = failure(client.once({}, { timeoutMs: 50 }));
    await turn();
    await clock.advance(50);
    assert.equal((await late).code, Code.DeadlineExceeded);
    gate.release();
    await running;
    assert.equal(gate.entered, 1);
  });

  test("scope says what shares the places", async (t) => {
    for (const [scope, isShared] of [
      ["server", true],
      ["service", true],
      ["method", false],
    ] as const) {
      const gate = gated();
      const client = await localClient(
        t,
        [createBulkheadInterceptor({ maxConcurrent: 1, maxQueue: 0, scope })],
        gate.behaviour,
      );
      const once = client.once({});
      const look = callKind(client, "unary");
      await turn();
      gate.release();
      gate.release();
      await once;
      assert.equal((await look).error?.code, isShared ? Code.ResourceExhausted : undefined, scope);
    }
  });

  test("a handler that fails gives its place back", async (t) => {
    const gate = withResolvers();
    const client = await localClient(
      t,
      [createBulkheadInterceptor({ maxConcurrent: 1, maxQueue: 0, streams: true })],
      async function* () {
        yield* [];
        throw await gate.promise;
      },
    );
    gate.resolve();
    for (const kind of [
      "unary",
      "server streaming",
      "unary",
      "client streaming",
      "unary",
    ] as const) {
      assert.equal((await callKind(client, kind)).error?.code, Code.Internal);
    }
  });

  test("refuses options that cannot work", () => {
    assert.throws(() => createBulkheadInterceptor({ maxConcurrent: 0 }), /bulkhead.maxConcurrent/);
    assert.throws(() => createBulkheadInterceptor({ maxQueue: -1 }), /bulkhead.maxQueue/);
    assert.throws(
      () => createBulkheadInterceptor({ queueTimeoutMs: 0 }),
      /bulkhead.queueTimeoutMs/,
    );
    assert.throws(
      () => createBulkheadInterceptor({ scope: "world" as never }),
      /bulkhead.scope must be one of "server", "service", "method", got "world"/,
    );
  });
});
