import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, test } from "node:test";
import { Code, ConnectError, type HandlerContext, type Interceptor } from "@connectrpc/connect";
import { createTimeoutInterceptor } from "connectum/interceptors";
import { assertConnectError, createFakeClock, createTestServer } from "connectum/testing";
import { ScriptService } from "../gen/connectum/script/v1/script_pb.js";
import { withResolvers } from "../support/with-resolvers.ts";
import { callKind, everywhere, failure, localClient, scripted } from "./doors.ts";
import { turn } from "./turn.ts";

/** A handler that hangs until its signal fires, and then answers all the same. */
function stubborn(onAbort: (reason: unknown) => void = () => {}) {
  return async function* ({ signal }: HandlerContext) {
    if (!signal.aborted) await once(signal, "abort");
    onAbort(signal.reason);
    yield "too late";
  };
}

describe("createTimeoutInterceptor", () => {
  test("answers at once and aborts the handler, on every way and in every kind", async (t) => {
    const reasons: unknown[] = [];
    const options = {
      services: [scripted(stubborn((reason) => reasons.push(reason)))],
      interceptors: [createTimeoutInterceptor({ timeoutMs: 20, streams: true })],
    };
    await everywhere(t, options, async (client, kind) => {
      reasons.length = 0;
      const { texts, error } = await callKind(client, kind);
      assert.deepEqual(texts, []);
      assert.equal(error?.code, Code.DeadlineExceeded);
      assert.equal(error.rawMessage, "the call took longer than 20 ms");
      await turn();
      assert.equal(ConnectError.from(reasons[0]).code, Code.DeadlineExceeded);
    });
  });

  test("a handler that never looks at its signal is left alone, and its late failure swallowed", async (t) => {
    const unhandled: unknown[] = [];
    const onUnhandled = (reason: unknown) => void unhandled.push(reason);
    process.on("unhandledRejection", onUnhandled);
    t.after(() => process.off("unhandledRejection", onUnhandled));
    const gate = withResolvers();
    const client = await localClient(
      t,
      [createTimeoutInterceptor({ timeoutMs: 5, streams: true })],
      async function* () {
        yield* [];
        await gate.promise;
        throw new Error("late");
      },
    );
    const calls = [client.once({}), client.upload((async function* () {})())].map(failure);
    for (const error of await Promise.all(calls)) assert.equal(error.code, Code.DeadlineExceeded);
    assert.equal((await callKind(client, "server streaming")).error?.code, Code.DeadlineExceeded);
    gate.resolve();
    await turn();
    await turn();
    assert.deepEqual(unhandled, []);
  });

  test("streams run on by default", async (t) => {
    const client = await localClient(
      t,
      [createTimeoutInterceptor({ timeoutMs: 1 })],
      async function* () {
        await new Promise((resolve) => setTimeout(resolve, 10));
        yield "done";
      },
    );
    assert.deepEqual((await callKind(client, "server streaming")).texts, ["done"]);
  });

  test("the shorter of the client's deadline and the limit counts; handlers are told the client's", async (t) => {
    const left: Array<number | undefined> = [];
    const client = await localClient(
      t,
      [createTimeoutInterceptor({ timeoutMs: 40 })],
      async function* ({ signal, timeoutMs }) {
        yield* [];
        left.push(timeoutMs());
        await once(signal, "abort");
        throw signal.reason;
      },
    );
    assert.match((await failure(client.once({}))).rawMessage, /longer than 40 ms/);
    assert.match((await failure(client.once({}, { timeoutMs: 60_000 }))).rawMessage, /than 40 ms/);
    assert.match((await failure(client.once({}, { timeoutMs: 5 }))).rawMessage, /timed out/);
    const [none, long = 0, short = 99] = left;
    assert.equal(none, undefined);
    assert.ok(long > 50_000 && short <= 5, `${long} ${short}`);
  });

  test("a client's own deadline is answered as such", async (t) => {
    const errors: ConnectError[] = [];
    const noteErrors: Interceptor = (next) => (request) =>
      next(request).catch((error) => {
        errors.push(error);
        throw error;
      });
    const client = await localClient(
      t,
      [noteErrors, createTimeoutInterceptor()],
      async function* () {
        yield* [];
        await new Promise(() => {});
      },
    );
    await assertConnectError(client.once({}, { timeoutMs: 5 }), Code.DeadlineExceeded);
    while (errors.length === 0) await turn();
    assert.equal(errors[0]?.rawMessage, "the operation timed out");
  });

  test("methods has other limits by pattern, the most exact one first", async (t) => {
    const client = await localClient(
      t,
      [
        createTimeoutInterceptor({
          timeoutMs: 60_000,
          methods: {
            "*": 50_000,
            "connectum.script.v1.ScriptService/Look": 7,
            "connectum.script.v1.ScriptService/*": 6,
          },
        }),
      ],
      stubborn(),
    );
    assert.match((await failure(client.once({}))).rawMessage, /6 ms/);
    assert.match((await failure(client.look({}))).rawMessage, /7 ms/);
  });

  test("skipMethods are not limited", async (t) => {
    const clock = createFakeClock({ t });
    const gate = withResolvers();
    const skipMethods = ["connectum.script.v1.ScriptService/Once"];
    const client = await localClient(
      t,
      [createTimeoutInterceptor({ timeoutMs: 5, skipMethods })],
      async function* () {
        await gate.promise;
        yield "late";
      },
    );
    const skipped = client.once({});
    const limited = failure(client.look({}));
    await turn();
    await clock.advance(5);
    assert.equal((await limited).code, Code.DeadlineExceeded);
    gate.resolve();
    assert.equal((await skipped).content?.text, "late");
  });

  test("idleMs ends a stream whose next message does not come, while somebody waits for it", async (t) => {
    const clock = createFakeClock({ t });
    const gates = [withResolvers(), withResolvers()];
    const client = await localClient(
      t,
      [createTimeoutInterceptor({ idleMs: 1_000 })],
      async function* () {
        for (const { promise } of gates) {
          await promise;
          yield "text";
        }
        await new Promise(() => {});
      },
    );
    const stream = client.download({})[Symbol.asyncIterator]();
    const first = stream.next();
    await turn();
    await clock.advance(999);
    gates[0]?.resolve();
    assert.equal((await first).done, false);
    // The handler is one message ahead; from here on nobody waits until somebody asks.
    const second = stream.next();
    await turn();
    await clock.advance(999);
    gates[1]?.resolve();
    assert.equal((await second).done, false);
    const third = failure(stream.next());
    await turn();
    await clock.advance(1_000);
    const error = await third;
    assert.equal(error.code, Code.DeadlineExceeded);
    assert.equal(error.rawMessage, "no message for 1000 ms");
  });

  test("a request message counts as a sign of life", async (t) => {
    const clock = createFakeClock({ t });
    const client = await localClient(
      t,
      [createTimeoutInterceptor({ idleMs: 1_000 })],
      async function* () {
        yield "text";
      },
    );
    const gates = [withResolvers(), withResolvers()];
    const upload = client.upload(
      (async function* () {
        for (const { promise } of gates) {
          await promise;
          yield {};
        }
      })(),
    );
    for (const { resolve } of gates) {
      await turn();
      await clock.advance(900);
      resolve();
      await turn();
    }
    assert.equal((await upload).content?.text, "text");
  });

  test("thousands of calls share one timer, each ends in its turn", async (t) => {
    const clock = createFakeClock({ t });
    const client = await localClient(
      t,
      [createTimeoutInterceptor({ timeoutMs: 1_000 })],
      stubborn(),
    );
    const ended: number[] = [];
    const timers = clock.pendingTimers;
    for (let index = 0; index < 1_000; index++) {
      if (index === 500) await clock.advance(300);
      failure(client.once({})).then(() => ended.push(index));
    }
    await turn();
    assert.equal(clock.pendingTimers - timers, 1);
    await clock.advance(700);
    assert.equal(ended.length, 500);
    await clock.advance(300);
    assert.deepEqual(
      ended,
      Array.from({ length: 1_000 }, (_, index) => index),
    );
  });

  test("on a client: the signal of the call fires, the call fails", async (t) => {
    const { server } = await createTestServer({ t, services: [scripted(stubborn())] });
    const { createLocalTransport } = await import("connectum/core");
    const { createClient } = await import("@connectrpc/connect");
    const transport = createLocalTransport(server, {
      interceptors: [createTimeoutInterceptor({ timeoutMs: 5, streams: true })],
    });
    const client = createClient(ScriptService, transport);
    for (const kind of ["unary", "server streaming", "client streaming"] as const) {
      const { error } = await callKind(client, kind);
      assert.equal(error?.code, Code.DeadlineExceeded);
    }
  });

  test("refuses options that cannot work", () => {
    assert.throws(
      () => createTimeoutInterceptor({ timeoutMs: 0 }),
      /timeout.timeoutMs must be an integer from 1 to 2147483647, got 0/,
    );
    assert.throws(
      () => createTimeoutInterceptor({ methods: { "a b": 1 } }),
      /timeout.methods takes "\*", "pkg.\*", "pkg.Service\/\*" and "pkg.Service\/Method", got "a b"/,
    );
    assert.throws(
      () => createTimeoutInterceptor({ methods: 5 as never }),
      /timeout.methods must be an object, got 5/,
    );
    assert.throws(() => createTimeoutInterceptor({ idleMs: -1 }), /timeout.idleMs/);
    assert.throws(() => createTimeoutInterceptor({ streams: "yes" as never }), /timeout.streams/);
    assert.throws(() => createTimeoutInterceptor({ skipMethods: ["/x"] }), /timeout.skipMethods/);
  });
});
