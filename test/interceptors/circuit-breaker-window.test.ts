import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { Code, ConnectError, createClient, type Interceptor } from "@connectrpc/connect";
import { createLocalTransport } from "connectum/core";
import {
  type CircuitBreakerOptions,
  createCircuitBreakerInterceptor,
  createTimeoutInterceptor,
} from "connectum/interceptors";
import { createFakeClock, createTestServer } from "connectum/testing";
import { RetryInfoSchema } from "../../src/interceptors/gen/google/rpc/error_details_pb.js";
import { ScriptService } from "../gen/connectum/script/v1/script_pb.js";
import { withResolvers } from "../support/with-resolvers.ts";
import { failure, localClient, scripted } from "./doors.ts";
import { turn } from "./turn.ts";

const onceName = "connectum.script.v1.ScriptService/Once";

/** A method behind a breaker, which fails when told to, and a clock. */
async function guarded(t: TestContext, options: CircuitBreakerOptions) {
  const clock = createFakeClock({ t });
  const changes: string[] = [];
  const breaker = createCircuitBreakerInterceptor({
    ...options,
    onStateChange: ({ state }) => changes.push(state),
  });
  let isDown = false;
  let runs = 0;
  const client = await localClient(t, [breaker], async function* () {
    runs++;
    if (isDown) throw new ConnectError("down", Code.Unavailable);
    yield "up";
  });
  const call = async (outcome: "succeeds" | "fails") => {
    isDown = outcome === "fails";
    const error = await client.once({}).then(
      () => undefined,
      (thrown: ConnectError) => thrown,
    );
    await turn();
    return error;
  };
  return {
    clock,
    changes,
    call,
    state: () => breaker.state(onceName),
    runs: () => runs,
  };
}

describe("the window of a circuit breaker", () => {
  test("by default opens at 20 calls of 10 s of which half have failed, for 30 s", async (t) => {
    const { clock, call, state, runs } = await guarded(t, {});
    for (let count = 0; count < 10; count++) await call("succeeds");
    for (let count = 0; count < 9; count++) await call("fails");
    assert.equal(state(), "closed", "19 calls");
    await clock.advance(9_999);
    await call("fails");
    assert.equal(state(), "open");
    const before = runs();
    await clock.advance(29_999);
    await call("succeeds");
    assert.equal(runs(), before);
    await clock.advance(1);
    assert.equal(await call("succeeds"), undefined);
    assert.equal(state(), "closed");
  });

  test("opens at its percentage, not below", async (t) => {
    for (const [failures, expected] of [
      [6, "closed"],
      [7, "open"],
    ] as const) {
      const { call, state, clock } = await guarded(t, {
        volumeThreshold: 10,
        errorThresholdPercentage: 70,
      });
      for (let count = 0; count < 10 - failures; count++) await call("succeeds");
      for (let count = 0; count < failures; count++) await call("fails");
      assert.equal(state(), expected);
      clock.dispose();
    }
  });

  for (const [last, expected] of [
    [999, "open"],
    [1_000, "closed"],
    [1_001, "closed"],
    [20_000, "closed"],
  ] as const) {
    test(`of 1 000 ms has a failure in it that is ${last} ms old: ${expected === "open"}`, async (t) => {
      const limits = { volumeThreshold: 2, rollingWindowMs: 1_000 };
      const { clock, call, state } = await guarded(t, limits);
      await call("fails");
      await clock.advance(last);
      await call("fails");
      assert.equal(state(), expected);
    });

    test(`turns also in small steps: ${last} ms`, async (t) => {
      const limits = { volumeThreshold: 5, rollingWindowMs: 1_000, errorThresholdPercentage: 40 };
      const { clock, call, state } = await guarded(t, limits);
      await call("fails");
      await clock.advance(350);
      await call("succeeds");
      await clock.advance(50);
      await call("succeeds");
      await clock.advance(320);
      await call("succeeds");
      await clock.advance(last - 720);
      await call("fails");
      assert.equal(state(), expected);
    });
  }

  test("takes a call at the end of a tenth into the next", async (t) => {
    const limits = { volumeThreshold: 2, rollingWindowMs: 1_000, errorThresholdPercentage: 100 };
    const { clock, call, state } = await guarded(t, limits);
    await call("succeeds");
    await clock.advance(100);
    await call("fails");
    await clock.advance(950);
    await call("fails");
    assert.equal(state(), "open");
  });

  test("counts on after a long time without calls", async (t) => {
    const { clock, call, state } = await guarded(t, { volumeThreshold: 2, rollingWindowMs: 1_000 });
    await call("fails");
    await clock.advance(123_456);
    await call("fails");
    assert.equal(state(), "closed");
    await clock.advance(900);
    await call("fails");
    assert.equal(state(), "open");
  });

  test("is empty when the circuit closes", async (t) => {
    const { clock, call, state, changes } = await guarded(t, {
      volumeThreshold: 2,
      openMs: 100,
      rollingWindowMs: 60_000,
    });
    await call("fails");
    await call("fails");
    await clock.advance(100);
    await call("succeeds");
    await call("fails");
    assert.equal(state(), "closed");
    await call("fails");
    assert.deepEqual(changes, ["open", "halfOpen", "closed", "open"]);
  });
});

describe("an open circuit", () => {
  test("says to the millisecond when it tries again", async (t) => {
    const { clock, call } = await guarded(t, { volumeThreshold: 1, openMs: 2_500 });
    await call("fails");
    for (const [passed, left, seconds, nanos] of [
      [0, 2_500, 2n, 500_000_000],
      [1_499, 1_001, 1n, 1_000_000],
      [1_000, 1, 0n, 1_000_000],
    ] as const) {
      await clock.advance(passed);
      const error = await call("succeeds");
      assert.equal(error?.code, Code.Unavailable);
      assert.equal(
        error.rawMessage,
        `${onceName} keeps failing and is not called; the circuit tries again in ${left} ms`,
      );
      const [info] = error.findDetails(RetryInfoSchema);
      assert.deepEqual([info?.retryDelay?.seconds, info?.retryDelay?.nanos], [seconds, nanos]);
    }
  });

  test("rounds up, so that nobody comes back too early", async (t) => {
    const { clock, call } = await guarded(t, { volumeThreshold: 1, openMs: 1_000 });
    await call("fails");
    await clock.advance(0.25);
    const error = await call("succeeds");
    assert.match(error?.rawMessage ?? "", / in 1000 ms$/);
    const [info] = error?.findDetails(RetryInfoSchema) ?? [];
    assert.deepEqual([info?.retryDelay?.seconds, info?.retryDelay?.nanos], [1n, 0]);
  });
});

describe("calls on their way", () => {
  /** A breaker that is half open, with calls in it from when it was closed. */
  async function halfOpen(t: TestContext) {
    const clock = createFakeClock({ t });
    const breaker = createCircuitBreakerInterceptor({ volumeThreshold: 1, openMs: 1_000 });
    const waiting: Array<(isDown: boolean) => void> = [];
    const client = await localClient(t, [breaker], async function* () {
      const { promise, resolve } = withResolvers<boolean>();
      waiting.push(resolve);
      if (await promise) throw new Error("down");
      yield "up";
    });
    const early = [client.once({}), client.once({}), client.once({})].map((call) => {
      return call.then(
        () => "up",
        () => "down",
      );
    });
    await turn();
    const [first, ...others] = waiting.splice(0);
    first?.(true);
    await early[0];
    await turn();
    assert.equal(breaker.state(onceName), "open");
    await clock.advance(1_000);
    assert.equal(breaker.state(onceName), "halfOpen");
    return { breaker, client, waiting, others, early, clock };
  }

  test("from before it opened decide nothing", async (t) => {
    const { breaker, others, early } = await halfOpen(t);
    others[0]?.(true);
    others[1]?.(false);
    assert.deepEqual(await Promise.all(early), ["down", "down", "up"]);
    await turn();
    assert.equal(breaker.state(onceName), "halfOpen");
  });

  test("are refused while one probes, without a time to come back", async (t) => {
    const { breaker, client, waiting, others, clock } = await halfOpen(t);
    const probe = client.once({});
    await turn();
    // A probe may take its time.
    await clock.advance(60_000);
    const refused = await failure(client.once({}));
    assert.equal(
      refused.rawMessage,
      `${onceName} keeps failing and is not called; the circuit is trying again`,
    );
    const [info] = refused.findDetails(RetryInfoSchema);
    assert.deepEqual([info?.retryDelay?.seconds, info?.retryDelay?.nanos], [0n, 0]);
    assert.equal(waiting.length, 1);
    waiting[0]?.(false);
    await probe;
    await turn();
    assert.equal(breaker.state(onceName), "closed");
    for (const end of others) end(false);
  });

  for (const reason of ["cancels", "has a deadline of its own"]) {
    test(`decide nothing when the client ${reason}: the next one probes`, async (t) => {
      const { breaker, client, waiting, others, clock } = await halfOpen(t);
      const abort = new AbortController();
      const probe = failure(client.once({}, { signal: abort.signal, timeoutMs: 500 }));
      await turn();
      assert.equal(waiting.length, 1);
      if (reason === "cancels") abort.abort();
      else await clock.advance(500);
      const { code } = await probe;
      assert.equal(code, reason === "cancels" ? Code.Canceled : Code.DeadlineExceeded);
      await turn();
      // What the handler does now is nobody's answer.
      waiting[0]?.(true);
      await turn();
      assert.equal(breaker.state(onceName), "halfOpen");
      const next = client.once({});
      await turn();
      waiting[1]?.(false);
      assert.equal((await next).content?.text, "up");
      await turn();
      assert.equal(breaker.state(onceName), "closed");
      for (const end of others) end(false);
    });
  }
});

describe("a probe that fails", () => {
  const codeOf = (error: unknown) => ConnectError.from(error).code;

  /** A half-open circuit; the handler fails with the code it is given, or waits for ever. */
  async function halfOpen(t: TestContext, isFailure?: CircuitBreakerOptions["isFailure"]) {
    const clock = createFakeClock({ t });
    const options = { volumeThreshold: 1, openMs: 1_000, isFailure };
    const breaker = createCircuitBreakerInterceptor(options);
    let code: Code | undefined = Code.DataLoss;
    const client = await localClient(t, [breaker], async function* () {
      if (code === undefined) await new Promise(() => {});
      yield* [];
      throw new ConnectError("no", code);
    });
    await failure(client.once({}));
    await turn();
    await clock.advance(1_000);
    assert.equal(breaker.state(onceName), "halfOpen");
    return async (next: Code | undefined) => {
      code = next;
      const abort = new AbortController();
      const probe = failure(client.once({}, { signal: abort.signal }));
      await turn();
      if (next === undefined) abort.abort();
      await probe;
      await turn();
      return breaker.state(onceName);
    };
  }

  test("closes the circuit if that is no failure of the method's", async (t) => {
    const probe = await halfOpen(t);
    assert.equal(await probe(Code.NotFound), "closed");
  });

  for (const [code, state] of [
    [Code.Internal, "closed"],
    [Code.DataLoss, "open"],
  ] as const) {
    test(`leaves it ${state} if isFailure says so of ${Code[code]}`, async (t) => {
      const probe = await halfOpen(t, (error) => codeOf(error) === Code.DataLoss);
      assert.equal(await probe(code), state);
    });
  }

  for (const isFailure of [undefined, (error: unknown) => codeOf(error) === Code.DataLoss]) {
    const whose = isFailure ? "isFailure decides" : "the code decides";
    test(`leaves it as it is if the client has canceled, where ${whose}`, async (t) => {
      const probe = await halfOpen(t, isFailure);
      assert.equal(await probe(undefined), "halfOpen");
      assert.equal(await probe(Code.DataLoss), "open");
    });
  }
});

test("a call counts once, though its time is over before it ends", async (t) => {
  const clock = createFakeClock({ t });
  const breaker = createCircuitBreakerInterceptor({ volumeThreshold: 2 });
  const client = await localClient(
    t,
    [createTimeoutInterceptor({ timeoutMs: 1_000 }), breaker],
    async function* ({ signal }) {
      yield* [];
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      throw new Error("late");
    },
  );
  for (const expected of ["closed", "open"]) {
    const call = failure(client.once({}));
    await turn();
    await clock.advance(1_000);
    await call;
    await turn();
    assert.equal(breaker.state(onceName), expected);
  }
});

test("a call that succeeds after its time was over is a failure", async (t) => {
  const clock = createFakeClock({ t });
  const breaker = createCircuitBreakerInterceptor({
    volumeThreshold: 2,
    errorThresholdPercentage: 80,
  });
  const client = await localClient(
    t,
    [createTimeoutInterceptor({ timeoutMs: 1_000 }), breaker],
    async function* ({ signal }) {
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      yield "late";
    },
  );
  for (const expected of ["closed", "open"]) {
    const call = failure(client.once({}));
    await turn();
    await clock.advance(1_000);
    await call;
    await turn();
    assert.equal(breaker.state(onceName), expected);
  }
});

test("streams that end well, or that their reader leaves, are successes", async (t) => {
  const clock = createFakeClock({ t });
  const breaker = createCircuitBreakerInterceptor({
    volumeThreshold: 2,
    errorThresholdPercentage: 60,
    openMs: 1_000,
  });
  let isDown = false;
  const client = await localClient(t, [breaker], async function* () {
    yield "one";
    if (isDown) throw new Error("down");
    yield "two";
  });
  const read = async (most: number) => {
    const controller = new AbortController();
    let count = 0;
    try {
      for await (const _ of client.download({}, { signal: controller.signal })) {
        if (++count === most) controller.abort();
      }
    } finally {
      await turn();
    }
  };
  const state = () => breaker.state("connectum.script.v1.ScriptService/Download");
  for (const most of [3, 1]) {
    // A reader leaves by its signal, which ends its own loop with an error.
    const end = () => (most === 1 ? failure(read(most)) : read(most));
    await end();
    await end();
    isDown = true;
    await failure(read(3));
    await failure(read(3));
    assert.equal(state(), "closed", "two of four");
    await failure(read(3));
    assert.equal(state(), "open", "three of five");
    isDown = false;
    await clock.advance(1_000);
    await end();
    assert.equal(state(), "closed");
  }
});

test("a stream that its client's deadline ends after a message was answered", async (t) => {
  const clock = createFakeClock({ t });
  const breaker = createCircuitBreakerInterceptor({ volumeThreshold: 1, openMs: 1_000 });
  let isDown = true;
  const client = await localClient(t, [breaker], async function* () {
    if (isDown) throw new Error("down");
    yield "one";
    await new Promise(() => {});
  });
  const read = async () => {
    for await (const _ of client.download({}, { timeoutMs: 500 })) await turn();
  };
  await failure(read());
  await clock.advance(1_000);
  isDown = false;
  const probe = failure(read());
  await turn();
  await clock.advance(500);
  assert.equal((await probe).code, Code.DeadlineExceeded);
  await turn();
  assert.equal(breaker.state("connectum.script.v1.ScriptService/Download"), "closed");
});

test("a closed circuit has no timer", async (t) => {
  const { clock, call } = await guarded(t, {});
  await call("succeeds");
  await call("fails");
  assert.equal(clock.pendingTimers, 0);
});

test("on a client a call that never ends counts when its caller leaves", async (t) => {
  const { server } = await createTestServer({ t });
  const breaker = createCircuitBreakerInterceptor({ volumeThreshold: 1, isFailure: () => true });
  const hang: Interceptor = () => () => new Promise(() => {});
  const transport = createLocalTransport(server, { interceptors: [breaker, hang] });
  const controller = new AbortController();
  const { signal } = controller;
  createClient(ScriptService, transport)
    .once({}, { signal })
    .catch(() => {});
  await turn();
  assert.equal(breaker.state(onceName), "closed");
  controller.abort();
  await turn();
  assert.equal(breaker.state(onceName), "open");
});

test("isFailure is asked once for a call, with why it ended first", async (t) => {
  const { server } = await createTestServer({
    t,
    services: [
      scripted(async function* () {
        yield* [];
        await new Promise(() => {});
      }),
    ],
  });
  const reasons: unknown[] = [];
  const breaker = createCircuitBreakerInterceptor({
    volumeThreshold: 1,
    isFailure(error) {
      reasons.push(ConnectError.from(error).code);
      return false;
    },
  });
  const transport = createLocalTransport(server, { interceptors: [breaker] });
  const client = createClient(ScriptService, transport);
  const controller = new AbortController();
  const left = failure(client.once({}, { signal: controller.signal }));
  await turn();
  controller.abort();
  await left;
  await failure(client.once({}, { timeoutMs: 1 }));
  assert.deepEqual(reasons, [Code.Canceled, Code.DeadlineExceeded]);
});

test("takes every option, and names the one that cannot work", () => {
  createCircuitBreakerInterceptor({
    scope: "server",
    errorThresholdPercentage: 1,
    volumeThreshold: 1,
    rollingWindowMs: 10,
    openMs: 1,
    isFailure: () => true,
    onStateChange: () => {},
    skipMethods: [],
  });
  const cases: Array<[unknown, string]> = [
    [
      { errorThresholdPercentage: 0 },
      "circuitBreaker.errorThresholdPercentage must be a number from 1 to 100, got 0",
    ],
    [
      { volumeThreshold: 0.5 },
      "circuitBreaker.volumeThreshold must be an integer from 1 to 9007199254740991, got 0.5",
    ],
    [
      { rollingWindowMs: 9 },
      "circuitBreaker.rollingWindowMs must be an integer from 10 to 2147483647, got 9",
    ],
    [{ openMs: 0 }, "circuitBreaker.openMs must be an integer from 1 to 2147483647, got 0"],
    [{ isFailure: 1 }, "circuitBreaker.isFailure must be a function, got 1"],
    [{ onStateChange: "log" }, 'circuitBreaker.onStateChange must be a function, got "log"'],
    [
      { skipMethods: ["Once"] },
      'circuitBreaker.skipMethods takes "*", "pkg.*", "pkg.Service/*" and "pkg.Service/Method", got "Once"',
    ],
    [{ window: 1 }, 'circuitBreaker has no option "window"; did you mean "scope"?'],
  ];
  for (const [options, message] of cases) {
    assert.throws(() => createCircuitBreakerInterceptor(options as CircuitBreakerOptions), {
      code: "INVALID_OPTION",
      message,
    });
  }
  assert.throws(
    () => createCircuitBreakerInterceptor({ scope: "host" as never }),
    /circuitBreaker\.scope must be one of/,
  );
});
