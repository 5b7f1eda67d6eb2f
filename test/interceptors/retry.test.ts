import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { Code, ConnectError, createClient, type HandlerContext } from "@connectrpc/connect";
import { createLocalTransport } from "connectum/core";
import {
  createRetryInterceptor,
  createTimeoutInterceptor,
  type RetryOptions,
} from "connectum/interceptors";
import { assertConnectError, createFakeClock, createTestServer } from "connectum/testing";
import { RetryInfoSchema } from "../../src/interceptors/gen/google/rpc/error_details_pb.js";
import { ScriptService } from "../gen/connectum/script/v1/script_pb.js";
import { callKind, everywhere, failure, localClient, scripted } from "./doors.ts";
import { turn } from "./turn.ts";

/** Fails so many times before it succeeds. */
function failing(times: number, thrown: () => unknown = unavailable) {
  const state = { runs: 0, left: times };
  const behaviour = async function* (_: HandlerContext) {
    state.runs++;
    if (state.left-- > 0) throw thrown();
    yield "well";
  };
  return { state, behaviour };
}

function unavailable(): ConnectError {
  return new ConnectError("down", Code.Unavailable);
}

describe("createRetryInterceptor", () => {
  test("unary calls and server streams run again, client and bidi streams never", async (t) => {
    const { state, behaviour } = failing(0);
    const services = [scripted(behaviour)];
    const interceptors = [
      createRetryInterceptor({ initialDelayMs: 1, idempotent: "all", budget: false }),
    ];
    await everywhere(t, { services, interceptors }, async (client, kind) => {
      state.runs = 0;
      state.left = 3;
      const { texts, error } = await callKind(client, kind);
      if (kind === "unary" || kind === "server streaming") {
        assert.deepEqual(texts, ["well"]);
        assert.equal(state.runs, 4);
      } else {
        assert.equal(error?.code, Code.Unavailable);
        assert.equal(state.runs, 1);
      }
    });
  });

  test("gives up after maxRetries, at once for other codes", async (t) => {
    const busy = failing(100);
    const client = await localClient(
      t,
      [createRetryInterceptor({ maxRetries: 2, initialDelayMs: 1, budget: false })],
      busy.behaviour,
    );
    await assertConnectError(client.look({}), Code.Unavailable);
    assert.equal(busy.state.runs, 3);
    const missing = failing(100, () => new ConnectError("no", Code.NotFound));
    const other = await localClient(t, [createRetryInterceptor()], missing.behaviour);
    await assertConnectError(other.look({}), Code.NotFound);
    assert.equal(missing.state.runs, 1);
  });

  test("retryableCodes are tried again, and no others", async (t) => {
    for (const [code, runs] of [
      [Code.Aborted, 2],
      [Code.Unavailable, 1],
    ] as const) {
      const { state, behaviour } = failing(100, () => new ConnectError("no", code));
      const options = { retryableCodes: [Code.Aborted], maxRetries: 1, initialDelayMs: 1 };
      const client = await localClient(t, [createRetryInterceptor(options)], behaviour);
      await assertConnectError(client.look({}), code);
      assert.equal(state.runs, runs);
    }
  });

  test("only methods that may run twice: declared, all, or picked", async (t) => {
    for (const [idempotent, onceRuns, lookRuns] of [
      ["declared", 1, 2],
      ["all", 2, 2],
      [({ name }: { name: string }) => name === "Once", 2, 1],
    ] as const) {
      const { state, behaviour } = failing(100);
      const client = await localClient(
        t,
        [createRetryInterceptor({ maxRetries: 1, initialDelayMs: 1, idempotent })],
        behaviour,
      );
      await failure(client.once({}));
      assert.equal(state.runs, onceRuns);
      state.runs = 0;
      await failure(client.look({}));
      assert.equal(state.runs, lookRuns);
    }
  });

  test("a stream that has given a message is not run again", async (t) => {
    let runs = 0;
    const client = await localClient(
      t,
      [createRetryInterceptor({ idempotent: "all", initialDelayMs: 1 })],
      async function* () {
        runs++;
        yield "first";
        throw unavailable();
      },
    );
    const { texts, error } = await callKind(client, "server streaming");
    assert.deepEqual([texts, error?.code, runs], [["first"], Code.Unavailable, 1]);
  });

  test("the pauses grow, are random, and have a limit", async (t) => {
    const clock = createFakeClock({ t });
    const random = t.mock.method(Math, "random", () => 1);
    const { state, behaviour } = failing(100);
    const client = await localClient(
      t,
      [createRetryInterceptor({ maxRetries: 5, maxDelayMs: 500, budget: false })],
      behaviour,
    );
    const call = failure(client.look({}));
    for (const [index, delay] of [200, 400, 500, 500, 500].entries()) {
      await turn();
      await clock.advance(delay - 1);
      assert.equal(state.runs, index + 1);
      await clock.advance(1);
      assert.equal(state.runs, index + 2);
    }
    await call;
    random.mock.mockImplementation(() => 0.25);
    const again = failure(client.look({}));
    await turn();
    await clock.advance(50);
    assert.equal(state.runs, 8);
    await clock.advance(10_000);
    await again;
  });

  test("never past the deadline", async (t) => {
    const { state, behaviour } = failing(100);
    const client = await localClient(
      t,
      [
        createTimeoutInterceptor({ timeoutMs: 60_000 }),
        createRetryInterceptor({ initialDelayMs: 2_000_000, maxDelayMs: 2_000_000 }),
      ],
      behaviour,
    );
    t.mock.method(Math, "random", () => 1);
    await assertConnectError(client.look({}), Code.Unavailable);
    assert.equal(state.runs, 1);
  });

  test("honours RetryInfo and grpc-retry-pushback-ms", async (t) => {
    const clock = createFakeClock({ t });
    const info = { desc: RetryInfoSchema, value: { retryDelay: { seconds: 7n } } };
    const pushback = (value: string) =>
      new ConnectError("wait", Code.Unavailable, { "grpc-retry-pushback-ms": value });
    const cases: Array<[ConnectError, number]> = [
      [new ConnectError("wait", Code.Unavailable, undefined, [info]), 7_000],
      [pushback("3000"), 3_000],
    ];
    for (const [thrown, delay] of cases) {
      const { state, behaviour } = failing(1, () => thrown);
      const client = await localClient(t, [createRetryInterceptor()], behaviour);
      const call = client.look({});
      await turn();
      await clock.advance(delay - 1);
      assert.equal(state.runs, 1);
      await clock.advance(1);
      await call;
      assert.equal(state.runs, 2);
    }
    const refused = failing(1, () => pushback("-1"));
    const client = await localClient(t, [createRetryInterceptor()], refused.behaviour);
    await failure(client.look({}));
    assert.equal(refused.state.runs, 1);
  });

  test("stops when the signal aborts", async (t) => {
    const { state, behaviour } = failing(100);
    const client = await localClient(
      t,
      [createRetryInterceptor({ initialDelayMs: 100_000 })],
      behaviour,
    );
    const controller = new AbortController();
    const call = failure(client.look({}, { signal: controller.signal }));
    await turn();
    controller.abort();
    assert.equal((await call).code, Code.Canceled);
    await turn();
    assert.equal(state.runs, 1);
  });

  /** How many retries so many failing calls at once get. */
  async function flooded(t: TestContext, options: RetryOptions) {
    const clock = createFakeClock({ t });
    const { state, behaviour } = failing(1_000_000);
    const interceptors = [createRetryInterceptor({ initialDelayMs: 0, ...options })];
    const client = await localClient(t, interceptors, behaviour);
    const flood = async (calls: number) => {
      state.runs = 0;
      const all = Array.from({ length: calls }, () => failure(client.look({})));
      for (let step = 0; step < 10; step++) {
        await turn();
        await clock.advance(1);
      }
      await Promise.all(all);
      return state.runs - calls;
    };
    return { clock, flood };
  }

  test("retries add at most the budget to the calls", async (t) => {
    const { clock, flood } = await flooded(t, {});
    assert.equal(await flood(1_000), 100);
    assert.equal(await flood(1_000), 100, "of 2 000 calls in the window, 100 are spent");
    await clock.advance(11_000);
    assert.equal(await flood(1), 3, "few calls have their retries all the same");
    assert.equal(await flood(10), 7, "but not more than 10 in the window");
  });

  test("the budget has a ratio, a window and a least number of one's own", async (t) => {
    const budget = { ratio: 0.5, windowMs: 1_000, minRetries: 20 };
    const { clock, flood } = await flooded(t, { budget });
    assert.equal(await flood(100), 50);
    await clock.advance(1_100);
    assert.equal(await flood(1), 3);
    assert.equal(await flood(10), 17);
  });

  test("each attempt of a handler starts with headers of its own", async (t) => {
    let runs = 0;
    const client = await localClient(
      t,
      [createRetryInterceptor({ initialDelayMs: 1 })],
      async function* ({ responseHeader, responseTrailer }) {
        runs++;
        responseHeader.append("x-run", String(runs));
        responseTrailer.append("x-run", String(runs));
        if (runs < 3) throw unavailable();
        yield "well";
      },
    );
    const seen: Array<string | null> = [];
    const note = (headers: Headers) => seen.push(headers.get("x-run"));
    await client.look({}, { onHeader: note, onTrailer: note });
    assert.deepEqual(seen, ["3", "3"]);
  });

  test("on a client every further attempt says how many there were", async (t) => {
    const attempts: Array<string | null> = [];
    const { server } = await createTestServer({
      t,
      services: [
        scripted(async function* ({ requestHeader }) {
          attempts.push(requestHeader.get("grpc-previous-rpc-attempts"));
          if (attempts.length < 3) throw unavailable();
          yield "well";
        }),
      ],
    });
    const interceptors = [createRetryInterceptor({ initialDelayMs: 1, idempotent: "all" })];
    const client = createClient(ScriptService, createLocalTransport(server, { interceptors }));
    for (const kind of ["unary", "server streaming"] as const) {
      attempts.length = 0;
      assert.deepEqual((await callKind(client, kind)).texts, ["well"]);
      assert.deepEqual(attempts, [null, "1", "2"]);
    }
  });

  test("refuses options that cannot work", () => {
    assert.throws(() => createRetryInterceptor({ maxRetries: -1 }), /retry.maxRetries/);
    assert.throws(() => createRetryInterceptor({ maxDelayMs: 0.5 }), /retry.maxDelayMs/);
    assert.throws(
      () => createRetryInterceptor({ retryableCodes: ["unavailable" as never] }),
      /retry.retryableCodes must be an array of values of Code, got "unavailable"/,
    );
    assert.throws(
      () => createRetryInterceptor({ retryableCodes: ["14" as never] }),
      /retry.retryableCodes must be an array of values of Code, got "14"/,
    );
    assert.throws(
      () => createRetryInterceptor({ idempotent: "some" as never }),
      /retry.idempotent must be "declared", "all" or a function, got "some"/,
    );
    assert.throws(() => createRetryInterceptor({ budget: { ratio: -1 } }), /retry.budget.ratio/);
    assert.throws(
      () => createRetryInterceptor({ budget: true as never }),
      /retry.budget takes an object/,
    );
  });
});
