import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { describe, type TestContext, test } from "node:test";
import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import {
  createRetryInterceptor,
  createTimeoutInterceptor,
  type RetryOptions,
} from "connectum/interceptors";
import { createFakeClock, type FakeClock } from "connectum/testing";
import { RetryInfoSchema } from "../../src/interceptors/gen/google/rpc/error_details_pb.js";
import { callKind, failure, localClient } from "./doors.ts";
import { turn } from "./turn.ts";

const lookName = "connectum.script.v1.ScriptService/Look";

function unavailable(header?: HeadersInit): ConnectError {
  return new ConnectError("down", Code.Unavailable, header);
}

/** When a method that always fails was run, in milliseconds since the call, with the longest pauses. */
async function attemptsOf(
  t: TestContext,
  options: RetryOptions,
  thrown: () => unknown = unavailable,
  outer: Interceptor[] = [],
): Promise<number[]> {
  const clock = createFakeClock();
  const random = t.mock.method(Math, "random", () => 1);
  const times: number[] = [];
  try {
    const client = await localClient(
      t,
      [...outer, createRetryInterceptor(options)],
      async function* () {
        yield* [];
        times.push(clock.now);
        throw thrown();
      },
    );
    const begin = clock.now;
    const call = failure(client.look({}));
    await passing(clock, 60_000);
    await call;
    return times.map((time) => time - begin);
  } finally {
    random.mock.restore();
    clock.dispose();
  }
}

async function passing(clock: FakeClock, ms: number): Promise<void> {
  await turn();
  await clock.advance(ms);
  await turn();
}

describe("createRetryInterceptor", () => {
  test("by default tries three times more, after up to 200, 400 and 800 ms", async (t) => {
    assert.deepEqual(await attemptsOf(t, {}), [0, 200, 600, 1_400]);
    const busy = () => new ConnectError("full", Code.ResourceExhausted);
    assert.deepEqual(await attemptsOf(t, {}, busy), [0, 200, 600, 1_400]);
  });

  test("never pauses longer than 5 000 ms by default, nor longer than maxDelayMs", async (t) => {
    const options = { maxRetries: 2, initialDelayMs: 4_000 };
    assert.deepEqual(await attemptsOf(t, options), [0, 4_000, 9_000]);
    assert.deepEqual(await attemptsOf(t, { ...options, maxDelayMs: 3_000 }), [0, 3_000, 6_000]);
  });

  test("takes every option", async (t) => {
    const once = { initialDelayMs: 100, maxRetries: 1 };
    assert.deepEqual(await attemptsOf(t, { ...once }), [0, 100]);
    assert.deepEqual(await attemptsOf(t, { ...once, skipMethods: [lookName] }), [0]);
    assert.deepEqual(await attemptsOf(t, { ...once, retryableCodes: [Code.Aborted] }), [0]);
    const aborted = () => new ConnectError("conflict", Code.Aborted);
    assert.deepEqual(
      await attemptsOf(t, { ...once, retryableCodes: [Code.Aborted] }, aborted),
      [0, 100],
    );
    const budget = { ratio: 0, minRetries: 0, windowMs: 1_000 };
    assert.deepEqual(await attemptsOf(t, { ...once, budget }), [0]);
    assert.deepEqual(await attemptsOf(t, { ...once, maxRetries: 0 }), [0]);
  });

  test("waits as long as the server asks, if that is longer", async (t) => {
    const once = { initialDelayMs: 1_000, maxRetries: 1 };
    const asking = (retryDelay?: { seconds: bigint; nanos: number }) => () =>
      new ConnectError("wait", Code.Unavailable, undefined, [
        { desc: RetryInfoSchema, value: { retryDelay } },
      ]);
    const cases = [
      [asking({ seconds: 1n, nanos: 500_000_000 }), 1_500],
      [asking({ seconds: 3n, nanos: 0 }), 3_000],
      [asking({ seconds: 0n, nanos: 20_000_000 }), 1_000],
      [asking(), 1_000],
    ] as const;
    for (const [thrown, pause] of cases) {
      assert.deepEqual(await attemptsOf(t, once, thrown), [0, pause]);
    }
  });

  test("takes grpc-retry-pushback-ms for the pause, and what is no number of it for a no", async (t) => {
    const once = { initialDelayMs: 1_000, maxRetries: 1 };
    for (const [text, attempts] of [
      ["0", [0, 0]],
      ["7", [0, 7]],
      ["4250", [0, 4_250]],
      ["-1", [0]],
      ["", [0]],
      ["5s", [0]],
      ["s5", [0]],
      ["1.5", [0]],
    ] as const) {
      const thrown = () => unavailable({ "grpc-retry-pushback-ms": text });
      assert.deepEqual(await attemptsOf(t, once, thrown), attempts, `"${text}"`);
    }
  });

  test("tries again only if the deadline is later than the pause", async (t) => {
    const deadline = createTimeoutInterceptor({ timeoutMs: 1_000 });
    const at = (initialDelayMs: number) =>
      attemptsOf(t, { initialDelayMs, maxRetries: 1 }, unavailable, [deadline]);
    assert.deepEqual(await at(999), [0, 999]);
    assert.deepEqual(await at(1_000), [0]);
  });

  test("does not begin a pause for a caller who has left", async (t) => {
    const clock = createFakeClock({ t });
    let runs = 0;
    const client = await localClient(
      t,
      [createRetryInterceptor({ initialDelayMs: 100 })],
      async function* ({ signal }) {
        yield* [];
        runs++;
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
        throw unavailable();
      },
    );
    const controller = new AbortController();
    const call = failure(client.look({}, { signal: controller.signal }));
    await turn();
    controller.abort();
    await call;
    await turn();
    assert.equal(clock.pendingTimers, 0);
    await passing(clock, 10_000);
    assert.equal(runs, 1);
  });

  test("leaves no timer behind when the caller leaves in a pause", async (t) => {
    const clock = createFakeClock({ t });
    const client = await localClient(
      t,
      [createRetryInterceptor({ initialDelayMs: 100_000, maxDelayMs: 100_000 })],
      async function* () {
        yield* [];
        throw unavailable();
      },
    );
    const controller = new AbortController();
    const call = failure(client.look({}, { signal: controller.signal }));
    await turn();
    assert.equal(clock.pendingTimers, 1);
    controller.abort();
    assert.equal((await call).code, Code.Canceled);
    assert.equal(clock.pendingTimers, 0);
  });

  test("leaves no listener on the signal after a pause", async (t) => {
    const listeners: number[] = [];
    const client = await localClient(
      t,
      [createRetryInterceptor({ initialDelayMs: 0, maxRetries: 5 })],
      async function* ({ signal }) {
        yield* [];
        listeners.push(getEventListeners(signal, "abort").length);
        throw unavailable();
      },
    );
    await failure(client.look({}));
    assert.equal(listeners.length, 6);
    assert.equal(new Set(listeners).size, 1, listeners.join());
  });

  test("a stream has as many attempts, whether it fails at once or before its first message", async (t) => {
    for (const maxRetries of [1, 4]) {
      let attempts = 0;
      /** Every second attempt fails before the server gives a stream. */
      const flaky: Interceptor = (next) => async (request) => {
        attempts++;
        if (attempts % 2 === 0) throw unavailable();
        return next(request);
      };
      const retry = createRetryInterceptor({ initialDelayMs: 0, maxRetries, idempotent: "all" });
      const client = await localClient(t, [retry, flaky], async function* () {
        yield* [];
        throw unavailable();
      });
      const { error } = await callKind(client, "server streaming");
      assert.equal(error?.code, Code.Unavailable);
      assert.equal(attempts, maxRetries + 1);
    }
  });

  test("what is thrown at last is what the last attempt threw", async (t) => {
    let runs = 0;
    const client = await localClient(
      t,
      [createRetryInterceptor({ initialDelayMs: 0, maxRetries: 2 })],
      async function* () {
        yield* [];
        throw new ConnectError(`attempt ${++runs}`, Code.Unavailable);
      },
    );
    assert.equal((await failure(client.look({}))).rawMessage, "attempt 3");
  });

  test("calls that are older than the budget's window give no retries", async (t) => {
    const clock = createFakeClock({ t });
    let runs = 0;
    let fail = () => {};
    const failing = new Promise<void>((resolve) => {
      fail = resolve;
    });
    const client = await localClient(
      t,
      [createRetryInterceptor({ initialDelayMs: 0, maxRetries: 1, budget: { minRetries: 0 } })],
      async function* () {
        yield* [];
        runs++;
        await failing;
        throw unavailable();
      },
    );
    const calls = Array.from({ length: 100 }, () => failure(client.look({})));
    await passing(clock, 11_000);
    assert.equal(runs, 100);
    fail();
    await passing(clock, 1);
    await Promise.all(calls);
    assert.equal(runs, 100);
  });

  test("names the option that cannot work", () => {
    const cases: Array<[RetryOptions, string]> = [
      [{ maxRetries: 101 }, "retry.maxRetries must be an integer from 0 to 100, got 101"],
      [
        { initialDelayMs: -1 },
        "retry.initialDelayMs must be an integer from 0 to 2147483647, got -1",
      ],
      [{ maxDelayMs: -1 }, "retry.maxDelayMs must be an integer from 0 to 2147483647, got -1"],
      [
        { retryableCodes: [99 as Code] },
        "retry.retryableCodes must be an array of values of Code, got 99",
      ],
      [{ budget: { ratio: 101 } }, "retry.budget.ratio must be a number from 0 to 100, got 101"],
      [
        { budget: { windowMs: 0 } },
        "retry.budget.windowMs must be an integer from 1 to 2147483647, got 0",
      ],
      [
        { budget: { minRetries: -1 } },
        "retry.budget.minRetries must be an integer from 0 to 9007199254740991, got -1",
      ],
      [
        { budget: { window: 1 } as never },
        'retry.budget has no option "window"; did you mean "windowMs"?',
      ],
      [
        { idempotent: "some" as never },
        'retry.idempotent must be "declared", "all" or a function, got "some"',
      ],
      [{ retries: 1 } as never, 'retry has no option "retries"; did you mean "maxRetries"?'],
      [
        { skipMethods: ["Look"] },
        'retry.skipMethods takes "*", "pkg.*", "pkg.Service/*" and "pkg.Service/Method", got "Look"',
      ],
    ];
    for (const [options, message] of cases) {
      assert.throws(() => createRetryInterceptor(options), { code: "INVALID_OPTION", message });
    }
  });
});
