import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Code, ConnectError, createClient, type Interceptor } from "@connectrpc/connect";
import { createLocalTransport } from "connectum/core";
import {
  createCircuitBreakerInterceptor,
  createDefaultInterceptors,
  createFallbackInterceptor,
  createRetryInterceptor,
  createTimeoutInterceptor,
} from "connectum/interceptors";
import { assertConnectError, createTestServer } from "connectum/testing";
import { ScriptService } from "../gen/connectum/script/v1/script_pb.js";
import { callKind, everywhere, localClient, scripted } from "./doors.ts";

const lookName = "connectum.script.v1.ScriptService/Look";
const instead = { content: { text: "instead" } };

function down(): ConnectError {
  return new ConnectError("down", Code.Unavailable);
}

describe("createFallbackInterceptor", () => {
  test("retry tries all its attempts, the breaker counts one failure, then the fallback answers once", async (t) => {
    let runs = 0;
    let answers = 0;
    const failures: unknown[] = [];
    const services = [
      scripted(async function* ({ responseHeader }) {
        yield* [];
        runs++;
        responseHeader.set("x-of-the-handler", "1");
        throw down();
      }),
    ];
    const interceptors = createDefaultInterceptors({
      circuitBreaker: {
        volumeThreshold: 1_000,
        isFailure: (error) => {
          failures.push(error);
          return true;
        },
      },
      retry: { maxRetries: 3, initialDelayMs: 1, idempotent: "all", budget: false },
      fallback: {
        handler: () => {
          assert.equal(failures.length, 1, "the breaker has counted by now");
          answers++;
          return instead;
        },
      },
    });
    await everywhere(t, { services, interceptors }, async (client, kind) => {
      runs = 0;
      answers = 0;
      failures.length = 0;
      const { texts, error } = await callKind(client, kind);
      assert.equal(failures.length, 1);
      if (kind === "unary" || kind === "server streaming") {
        assert.deepEqual(texts, ["instead"]);
        assert.deepEqual([runs, answers], [4, 1]);
      } else {
        assert.equal(error?.code, Code.Unavailable);
        assert.deepEqual([runs, answers], [1, 0]);
      }
    });
  });

  test("skipMethods fail as they are", async (t) => {
    const skipMethods = [lookName];
    const client = await localClient(
      t,
      [createFallbackInterceptor({ handler: () => instead, skipMethods })],
      async function* () {
        yield* [];
        throw down();
      },
    );
    await assertConnectError(client.look({}), Code.Unavailable);
    assert.equal((await client.once({})).content?.text, "instead");
  });

  test("an open circuit is answered for, and stays open", async (t) => {
    let runs = 0;
    const breaker = createCircuitBreakerInterceptor({ volumeThreshold: 1 });
    const client = await localClient(
      t,
      [breaker, createFallbackInterceptor({ handler: () => instead })],
      async function* () {
        yield* [];
        runs++;
        throw down();
      },
    );
    for (let call = 0; call < 3; call++) {
      assert.equal((await client.look({})).content?.text, "instead");
    }
    assert.equal(runs, 1);
    assert.equal(breaker.state(lookName), "open");
  });

  test("a call that ran out of time is answered for, by the timeout", async (t) => {
    const client = await localClient(
      t,
      [
        createTimeoutInterceptor({ timeoutMs: 10 }),
        createFallbackInterceptor({ handler: () => instead }),
      ],
      async function* () {
        yield* [];
        await new Promise(() => {});
      },
    );
    assert.equal((await client.once({})).content?.text, "instead");
  });

  test("an interceptor of the user's in between hides nothing", async (t) => {
    let runs = 0;
    const between: Interceptor = (next) => async (request) =>
      next({ ...request } as typeof request);
    const client = await localClient(
      t,
      [
        createRetryInterceptor({ initialDelayMs: 1 }),
        between,
        createFallbackInterceptor({ handler: () => instead }),
      ],
      async function* () {
        yield* [];
        runs++;
        throw down();
      },
    );
    assert.equal((await client.look({})).content?.text, "instead");
    assert.equal(runs, 4);
  });

  test("alone it answers by itself; codes says for what", async (t) => {
    let thrown: unknown;
    const seen: unknown[] = [];
    const client = await localClient(
      t,
      [
        createFallbackInterceptor({
          handler: (error, request) => {
            seen.push(error, request.method.name);
            return instead;
          },
        }),
      ],
      async function* () {
        yield* [];
        throw thrown;
      },
    );
    const answered: string[] = [];
    const codes = Object.values(Code).filter((code) => typeof code === "number");
    for (const code of codes) {
      thrown = new ConnectError("x", code);
      const { texts } = await callKind(client, "unary");
      if (texts[0] === "instead") answered.push(Code[code]);
    }
    assert.deepEqual(answered, [
      "Unknown",
      "DeadlineExceeded",
      "ResourceExhausted",
      "Internal",
      "Unavailable",
    ]);
    seen.length = 0;
    thrown = new Error("foreign");
    assert.equal((await client.once({})).content?.text, "instead");
    assert.deepEqual(seen, [thrown, "Once"]);
    const only = await localClient(
      t,
      [createFallbackInterceptor({ handler: () => instead, codes: [Code.NotFound] })],
      async function* () {
        yield* [];
        throw thrown;
      },
    );
    await assertConnectError(only.once({}), Code.Internal);
    thrown = new ConnectError("x", Code.NotFound);
    assert.equal((await only.once({})).content?.text, "instead");
  });

  test("the answer is fresh: marked, and without a header of request or handler", async (t) => {
    const { server } = await createTestServer({
      t,
      services: [
        scripted(async function* ({ responseHeader }) {
          yield* [];
          responseHeader.set("x-of-the-handler", "1");
          throw down();
        }),
      ],
      interceptors: [createFallbackInterceptor({ handler: () => instead })],
    });
    let header: Headers | undefined;
    await server.localClient(ScriptService).once(
      {},
      {
        headers: { authorization: "Bearer secret" },
        onHeader: (value) => {
          header = value;
        },
      },
    );
    assert.deepEqual([...(header ?? [])], [["connectum-fallback", "true"]]);
  });

  test("undefined lets the error go out, and a handler may give a whole stream", async (t) => {
    const given: unknown[] = [undefined, [{ content: { text: "a" } }, { content: { text: "b" } }]];
    const client = await localClient(
      t,
      [createFallbackInterceptor({ handler: async () => given.shift() })],
      async function* () {
        yield* [];
        throw down();
      },
    );
    assert.equal((await callKind(client, "server streaming")).error?.code, Code.Unavailable);
    assert.deepEqual((await callKind(client, "server streaming")).texts, ["a", "b"]);
  });

  test("a stream that has begun is not answered for", async (t) => {
    const client = await localClient(
      t,
      [createFallbackInterceptor({ handler: () => instead })],
      async function* () {
        yield "first";
        throw down();
      },
    );
    const { texts, error } = await callKind(client, "server streaming");
    assert.deepEqual([texts, error?.code], [["first"], Code.Unavailable]);
  });

  test("on a client it answers for the server, once, with the breaker around it", async (t) => {
    let runs = 0;
    const { server } = await createTestServer({
      t,
      services: [
        scripted(async function* () {
          yield* [];
          runs++;
          throw down();
        }),
      ],
    });
    const interceptors = [
      createCircuitBreakerInterceptor({ volumeThreshold: 1 }),
      createRetryInterceptor({ initialDelayMs: 1, idempotent: "all" }),
      createFallbackInterceptor({ handler: () => instead }),
    ];
    const client = createClient(ScriptService, createLocalTransport(server, { interceptors }));
    for (const kind of ["unary", "server streaming"] as const) {
      runs = 0;
      for (let call = 0; call < 3; call++) {
        assert.deepEqual((await callKind(client, kind)).texts, ["instead"]);
      }
      assert.equal(runs, 4);
    }
  });

  test("refuses options that cannot work", () => {
    assert.throws(
      () => createFallbackInterceptor({} as never),
      /fallback.handler must be a function, got undefined/,
    );
    assert.throws(
      () => createFallbackInterceptor({ handler: () => ({}), codes: [99 as never] }),
      /fallback.codes must be an array of values of Code, got 99/,
    );
  });
});
