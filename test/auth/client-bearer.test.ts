import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import {
  type ClientBearerOptions,
  createAuthInterceptor,
  createClientBearerInterceptor,
} from "connectum/auth";
import { createLocalTransport } from "connectum/core";
import { assertConnectError, createFakeClock } from "connectum/testing";
import { createTestJwt } from "../../src/testing/identities/test-jwt.ts";
import { WhoService } from "./gen/who/v1/who_pb.js";
import { kinds, refusal, startWho } from "./support/doors.ts";

/** A server that takes one token at a time, and a client that has to find out which. */
async function start(t: TestContext, token?: ClientBearerOptions["token"]) {
  const state = { good: "token-1", fetched: 0, calls: [] as string[] };
  const { server } = await startWho(t, {
    interceptors: [
      createAuthInterceptor({
        verifyCredentials(given, { method }) {
          state.calls.push(`${method.name} ${given.slice(0, 20)}`);
          return given === state.good ? { subject: given } : null;
        },
      }),
    ],
  });
  const fetchToken = async () => {
    state.fetched++;
    await new Promise((resolve) => setImmediate(resolve));
    return `token-${state.fetched}`;
  };
  const interceptor = createClientBearerInterceptor({ token: token ?? fetchToken });
  const transport = createLocalTransport(server, { interceptors: [interceptor] });
  return { state, client: createClient(WhoService, transport) };
}

describe("createClientBearerInterceptor", () => {
  test("sends the token with every kind of call; one fetch for all of them", async (t) => {
    const { state, client } = await start(t);
    const answers = await Promise.all(Object.values(kinds).map((call) => call(client)));
    for (const [answer] of answers) assert.equal(answer?.subject, "token-1");
    assert.equal(state.fetched, 1);
  });

  test("a refused token is fetched anew once, for all that wait, and idempotent calls repeat", async (t) => {
    const { state, client } = await start(t);
    await client.ask({});
    state.good = "token-2";
    const answers = await Promise.all(Array.from({ length: 20 }, () => client.ask({})));
    assert.deepEqual(new Set(answers.map(({ subject }) => subject)), new Set(["token-2"]));
    assert.equal(state.fetched, 2);
  });

  test("an idempotent server stream repeats before its first message", async (t) => {
    const { state, client } = await start(t);
    await client.ask({});
    state.good = "token-2";
    const answers = await kinds["server stream"](client);
    assert.deepEqual(
      answers.map(({ subject }) => subject),
      ["token-2", "token-2", "token-2"],
    );
  });

  for (const kind of ["client stream", "bidi"] as const) {
    test(`a ${kind} is not repeated, but the next call has a new token`, async (t) => {
      const { state, client } = await start(t);
      await client.ask({});
      state.good = "token-2";
      await assertConnectError(kinds[kind](client), Code.Unauthenticated);
      assert.equal((await kinds[kind](client))[0]?.subject, "token-2");
      assert.equal(state.fetched, 2);
    });
  }

  test("a call that may have side effects is not repeated", async (t) => {
    const { state, client } = await start(t);
    await client.change({});
    state.good = "token-2";
    await assertConnectError(client.change({}), Code.Unauthenticated);
    assert.deepEqual(state.calls, ["Change token-1", "Change token-1"]);
    assert.equal((await client.change({})).subject, "token-2");
  });

  test("a second refusal is the answer: no loop", async (t) => {
    const { state, client } = await start(t);
    state.good = "never";
    await assertConnectError(client.ask({}), Code.Unauthenticated);
    assert.deepEqual(state.calls, ["Ask token-1", "Ask token-2"]);
  });

  test("a fixed token is sent as it is, and nothing is repeated", async (t) => {
    const { state, client } = await start(t, "token-1");
    assert.equal((await client.ask({})).subject, "token-1");
    state.good = "token-2";
    await refusal(client.ask({}));
    assert.equal(state.calls.length, 2);
  });

  test("other errors leave the token alone", async (t) => {
    const { state, client } = await start(t);
    await client.ask({});
    const aborted = AbortSignal.abort();
    await refusal(client.ask({}, { signal: aborted }));
    await client.ask({});
    assert.equal(state.fetched, 1);
  });

  test("a token about to expire is replaced before it is sent", async (t) => {
    const clock = createFakeClock({ t, now: Date.now() });
    let fetched = 0;
    const { state, client } = await start(t, () => {
      fetched++;
      state.good = createTestJwt(
        { jti: String(fetched) },
        { key: "k".repeat(32), expiresInSec: 60 },
      );
      return state.good;
    });
    await client.change({});
    await clock.advance(49_000);
    await client.change({});
    assert.equal(fetched, 1);
    await clock.advance(2_000);
    await client.change({});
    assert.equal(fetched, 2);
    assert.equal(state.calls.length, 3, "no call was refused");
  });

  test("without a token there is no call: unavailable, or the ConnectError of the fetch", async (t) => {
    for (const [thrown, code] of [
      [new Error("ENOTFOUND"), Code.Unavailable],
      [new ConnectError("login first", Code.FailedPrecondition), Code.FailedPrecondition],
    ] as const) {
      const { state, client } = await start(t, () => Promise.reject(thrown));
      await assertConnectError(client.ask({}), code);
      assert.deepEqual(state.calls, []);
    }
    const { client } = await start(t, () => "two words");
    await assertConnectError(client.ask({}), Code.Unavailable);
  });

  test("a call that is cancelled does not wait for the token", { timeout: 10_000 }, async (t) => {
    const { client } = await start(t, () => new Promise<string>(() => {}));
    const controller = new AbortController();
    const call = refusal(client.ask({}, { signal: controller.signal }));
    setImmediate(() => controller.abort());
    assert.equal((await call).code, Code.Canceled);
  });

  test("a token that no header can carry is refused", () => {
    for (const token of ["", "two words", "a\nb", "ü", 7, undefined]) {
      assert.throws(() => createClientBearerInterceptor({ token: token as string }), {
        code: "INVALID_OPTION",
      });
    }
  });
});
