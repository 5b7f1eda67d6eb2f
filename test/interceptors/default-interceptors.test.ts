import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import { defineService } from "connectum/core";
import { createDefaultInterceptors, type DefaultInterceptorOptions } from "connectum/interceptors";
import { createTestServer } from "connectum/testing";
import { chain } from "../../src/interceptors/default-interceptors.ts";
import { withResolvers } from "../support/with-resolvers.ts";
import { callKind, everywhere, failure, localClient, scripted } from "./doors.ts";
import { GuardedService } from "./gen/connectum/guarded/v1/guarded_pb.js";
import { turn } from "./turn.ts";

const order = [
  "errorHandler",
  "logger",
  "tracing",
  "auth",
  "timeout",
  "bulkhead",
  "circuitBreaker",
  "retry",
  "fallback",
  "validation",
  "serializer",
  "redact",
] as const;

const pass: Interceptor = (next) => (request) => next(request);

describe("createDefaultInterceptors", () => {
  test("no options: what makes a service robust and needs nothing", () => {
    assert.equal(createDefaultInterceptors().length, 6);
    const none = Object.fromEntries(order.map((key) => [key, false]));
    assert.deepEqual(createDefaultInterceptors(none), []);
    for (const key of [
      "errorHandler",
      "timeout",
      "bulkhead",
      "circuitBreaker",
      "retry",
      "validation",
    ]) {
      assert.equal(createDefaultInterceptors({ ...none, [key]: undefined }).length, 1, key);
      assert.equal(createDefaultInterceptors({ ...none, [key]: true }).length, 1, key);
      assert.equal(createDefaultInterceptors({ ...none, [key]: {} }).length, 1, key);
    }
  });

  test("tracing and auth are taken as they are, auth also as a list", () => {
    const [a, b, c]: Interceptor[] = [(n) => n, (n) => n, (n) => n];
    const none = Object.fromEntries(order.map((key) => [key, false]));
    assert.deepEqual(createDefaultInterceptors({ ...none, auth: [b, c], tracing: a } as never), [
      a,
      b,
      c,
    ]);
    assert.deepEqual(createDefaultInterceptors({ ...none, auth: b } as never), [b]);
  });

  test("serializer and redact are off unless they are asked for", async (t) => {
    for (const isOn of [false, true]) {
      let isMessage: boolean | undefined;
      const save = defineService(GuardedService, {
        save: (request) => {
          isMessage = "$typeName" in request;
          return { account: { owner: "me" } };
        },
      });
      const redact = { fields: ["connectum.guarded.v1.Account.owner"] };
      const interceptors = createDefaultInterceptors({
        validation: false,
        ...(isOn && { serializer: true, redact }),
      });
      const { server } = await createTestServer({ t, services: [save], interceptors });
      const { account } = await server.localClient(GuardedService).save({});
      assert.deepEqual([isMessage, account?.owner], isOn ? [false, "***"] : [true, "me"]);
    }
  });

  test("true for what needs something says what to pass", () => {
    for (const [key, hint] of [
      ["tracing", /tracing: true says too little; pass an interceptor/],
      ["auth", /auth: true says too little; pass an interceptor or an array/],
      ["fallback", /fallback: true says too little; pass a handler/],
    ] as const) {
      assert.throws(() => createDefaultInterceptors({ [key]: true } as never), hint);
    }
    assert.throws(
      () => createDefaultInterceptors({ tracing: {} as never }),
      /tracing must be a function/,
    );
    assert.throws(
      () => createDefaultInterceptors({ retry: 3 as never }),
      /retry must be true, false or/,
    );
    assert.throws(
      () => createDefaultInterceptors({ retries: {} } as never),
      /did you mean "retry"/,
    );
    assert.throws(
      () => createDefaultInterceptors({ timeout: { timeoutMs: -1 } }),
      /timeout.timeoutMs/,
    );
  });

  test("the chain of the README is the chain of the code", async (t) => {
    const readme = readFileSync("README.md", "utf8");
    const rows = [...readme.matchAll(/^\| (\d+) \| `(\w+)` \| (on|off)\b[^|]*\| .+ \|$/gm)];
    assert.deepEqual(
      rows.map(([, position, key, isOn]) => ({ position: Number(position), key, isOn })),
      chain.map(({ key, isOn }, index) => ({
        position: index + 1,
        key,
        isOn: isOn ? "on" : "off",
      })),
    );
    assert.deepEqual(
      chain.map(({ key }) => key),
      order,
    );
    // What each sees of the others, from outside to inside: one that is left out leaves the rest as it is.
    for (const left of [undefined, ...order]) await checkOrder(t, left);
  });

  test("a healthy service answers as if there were no chain", async (t) => {
    const behaviour = async function* () {
      yield "one";
      yield "two";
    };
    const bare: unknown[] = [];
    await everywhere(t, { services: [scripted(behaviour)] }, async (client, kind) => {
      bare.push(await callKind(client, kind));
    });
    const interceptors = createDefaultInterceptors();
    await everywhere(t, { services: [scripted(behaviour)], interceptors }, async (client, kind) => {
      assert.deepEqual(await callKind(client, kind), bare.shift());
    });
  });

  test("three times the load: the bulkhead refuses, the rest is served, strangers hold no place", async (t) => {
    const gate = withResolvers();
    let running = 0;
    let most = 0;
    const auth: Interceptor = (next) => (request) => {
      if (request.header.has("x-key")) return next(request);
      throw new ConnectError("who are you", Code.Unauthenticated);
    };
    const client = await localClient(
      t,
      createDefaultInterceptors({
        auth,
        timeout: { timeoutMs: 60_000 },
        bulkhead: { maxConcurrent: 10, maxQueue: 10 },
        circuitBreaker: { volumeThreshold: 1 },
      }),
      async function* () {
        running++;
        most = Math.max(most, running);
        await gate.promise;
        running--;
        yield "done";
      },
    );
    const strangers = Array.from({ length: 20 }, () => failure(client.once({})));
    for (const error of await Promise.all(strangers))
      assert.equal(error.code, Code.Unauthenticated);
    const headers = { "x-key": "1" };
    const calls = Array.from({ length: 30 }, () => callKind(client, "unary", { headers }));
    await turn();
    assert.equal(running, 10);
    gate.resolve();
    const answers = await Promise.all(calls);
    const codes = answers.map(({ error }) => error?.code);
    assert.equal(codes.filter((code) => code === undefined).length, 20);
    assert.equal(codes.filter((code) => code === Code.ResourceExhausted).length, 10);
    assert.equal(most, 10);
    // Refusals are no failures of the method: its circuit is closed.
    assert.deepEqual((await callKind(client, "unary", { headers })).texts, ["done"]);
  });
});

/** Mounts everything but `left` with options that tell, and compares who told in which order. */
async function checkOrder(t: Parameters<typeof localClient>[0], left: string | undefined) {
  const seen: string[] = [];
  const spy =
    (name: string): Interceptor =>
    (next) =>
    (request) => {
      seen.push(name);
      return next(request);
    };
  const log = () => void seen.push("logger");
  const options: DefaultInterceptorOptions = {
    errorHandler: { onError: () => void seen.push("errorHandler") },
    logger: { logger: { debug: log, info: log, warn: log, error: log } },
    tracing: spy("tracing"),
    auth: [spy("auth"), pass],
    circuitBreaker: {
      isFailure: () => {
        seen.push("circuitBreaker");
        return false;
      },
    },
    retry: {
      idempotent: "all",
      initialDelayMs: 1,
      maxRetries: 1,
      budget: false,
    },
    fallback: {
      handler: () => {
        seen.push("fallback");
        return undefined;
      },
    },
    serializer: true,
    redact: true,
  };
  const chain = createDefaultInterceptors({ ...options, ...(left && { [left]: false }) });
  let runs = 0;
  const client = await localClient(t, chain, async function* () {
    yield* [];
    runs++;
    throw new ConnectError("down", Code.Unavailable);
  });
  await failure(client.once({}));
  const expected = ["tracing", "auth", "circuitBreaker", "fallback", "logger", "errorHandler"];
  assert.deepEqual(
    seen,
    expected.filter((name) => name !== left),
    `without ${left}`,
  );
  assert.equal(runs, left === "retry" ? 1 : 2);
}
