import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import { defineService } from "connectum/core";
import {
  assertConnectError,
  createFakeClock,
  createFaultInterceptor,
  createFaultProxy,
  withTestServer,
} from "connectum/testing";
import { GreeterService } from "../../examples/greeter/gen/greeter/v1/greeter_pb.js";
import { greeter } from "../../examples/greeter/service.ts";

const services = [defineService(GreeterService, greeter)];

describe("createFaultInterceptor", () => {
  test("fails calls with a code", async () => {
    const interceptors = [createFaultInterceptor({ errorCode: Code.DataLoss })];
    await withTestServer({ services, interceptors }, async ({ transport }) => {
      const call = createClient(GreeterService, transport).sayHello({ name: "Ada" });
      await assertConnectError(call, Code.DataLoss, { message: "injected fault" });
    });
  });

  test("drops a stream after some messages", async () => {
    const interceptors = [createFaultInterceptor({ dropAfterMessages: 2 })];
    await withTestServer({ services, interceptors }, async ({ transport }) => {
      const greetings: string[] = [];
      await assertConnectError(
        (async () => {
          const client = createClient(GreeterService, transport);
          for await (const { greeting } of client.sayHelloInLanguages({ name: "Ada" })) {
            greetings.push(greeting);
          }
        })(),
        Code.Unavailable,
      );
      assert.deepEqual(greetings, ["Hello, Ada!", "Bonjour, Ada!"]);
    });
  });

  test("delays calls", async () => {
    const interceptors = [createFaultInterceptor({ delayMs: 60_000 })];
    await withTestServer({ services, interceptors }, async ({ transports }) => {
      const clock = createFakeClock();
      try {
        let isAnswered = false;
        const call = createClient(GreeterService, transports.local)
          .sayHello({ name: "Ada" })
          .then(() => {
            isAnswered = true;
          });
        await clock.advance(59_999);
        assert.equal(isAnswered, false);
        await clock.advance(1);
        await call;
      } finally {
        clock.dispose();
      }
    });
  });

  test("meets the same calls for the same seed, and about the share asked for", async () => {
    const pattern = async (seed: number) => {
      const fault = createFaultInterceptor({ errorCode: Code.Aborted, probability: 0.3, seed });
      return withTestServer({ services, interceptors: [fault] }, async ({ transports }) => {
        const client = createClient(GreeterService, transports.local);
        let met = "";
        for (let call = 0; call < 200; call++) {
          met += await client.sayHello({ name: "Ada" }).then(
            () => ".",
            () => "x",
          );
        }
        return met;
      });
    };
    const first = await pattern(7);
    assert.equal(await pattern(7), first);
    assert.notEqual(await pattern(8), first);
    const share = first.replaceAll(".", "").length / 200;
    assert.ok(share > 0.2 && share < 0.4, `${share}`);
  });

  test("refuses bad options", () => {
    const bad: ReadonlyArray<[object, RegExp]> = [
      [{ delay: 1 }, /has no option "delay"; did you mean "delayMs"/],
      [{ delayMs: -1 }, /delayMs must be an integer from 0/],
      [{ errorCode: 99 }, /errorCode must be a value of Code, got 99/],
      [{ errorCode: "unavailable" }, /errorCode must be a value of Code, got "unavailable"/],
      [{ errorCode: "14" }, /errorCode must be a value of Code, got "14"/],
      [{ dropAfterMessages: 1.5 }, /dropAfterMessages must be an integer/],
      [{ probability: 2 }, /probability must be a number from 0 to 1, got 2/],
      [{ probability: "0.5" }, /probability must be a number from 0 to 1, got "0.5"/],
      [{ seed: Number.NaN }, /seed must be an integer from 0 to 4294967295, got NaN/],
      [{ seed: "7" }, /seed must be an integer from 0 to 4294967295, got "7"/],
    ];
    for (const [options, message] of bad) {
      assert.throws(() => createFaultInterceptor(options), { code: "INVALID_OPTION", message });
    }
  });
});

describe("createFaultProxy", () => {
  async function withProxy(
    use: (
      proxy: Awaited<ReturnType<typeof createFaultProxy>>,
      client: ReturnType<typeof createGreeterClient>,
    ) => Promise<void>,
  ) {
    await withTestServer({ services }, async ({ port }) => {
      const proxy = await createFaultProxy({ port });
      const sessions = new Http2SessionManager(`http://127.0.0.1:${proxy.port}`);
      try {
        await use(proxy, createGreeterClient(sessions));
      } finally {
        sessions.abort();
        await proxy.close();
      }
    });
  }

  function createGreeterClient(sessionManager: Http2SessionManager) {
    const baseUrl = sessionManager.authority;
    return createClient(GreeterService, createGrpcTransport({ baseUrl, sessionManager }));
  }

  async function* forEver(end: Promise<void>) {
    yield { name: "Ada" };
    await end;
  }

  test("passes calls through", async () => {
    await withProxy(async (proxy, client) => {
      assert.equal((await client.sayHello({ name: "Ada" })).greeting, "Hello, Ada!");
      assert.equal(proxy.connections, 1);
    });
  });

  for (const fault of ["cut", "reset"] as const) {
    test(`${fault}() ends a stream under way, and new connections work`, async () => {
      await withProxy(async (proxy, client) => {
        let release = () => {};
        const end = new Promise<void>((resolve) => {
          release = resolve;
        });
        const messages = client.converse(forEver(end))[Symbol.asyncIterator]();
        await messages.next();
        const broken = messages.next();
        proxy[fault]();
        await assert.rejects(broken, ConnectError);
        release();
        assert.equal((await client.sayHello({ name: "Ada" })).greeting, "Hello, Ada!");
      });
    });
  }

  test("truncate() cuts after so many bytes", async () => {
    await withProxy(async (proxy, client) => {
      await client.sayHello({ name: "Ada" });
      proxy.truncate(5);
      await assert.rejects(client.sayHello({ name: "Ada" }), ConnectError);
      proxy.heal();
      assert.equal((await client.sayHello({ name: "Ada" })).greeting, "Hello, Ada!");
    });
  });

  test("swallow() leaves a call without an answer until its deadline", async () => {
    await withProxy(async (proxy, client) => {
      await client.sayHello({ name: "Ada" });
      proxy.swallow();
      const call = client.sayHello({ name: "Ada" }, { timeoutMs: 200 });
      await assertConnectError(call, Code.DeadlineExceeded);
      assert.equal(proxy.connections, 1);
    });
  });

  test("delay() keeps the order of bytes", async () => {
    await withProxy(async (proxy, client) => {
      proxy.delay(30);
      const greetings: string[] = [];
      for await (const { greeting } of client.sayHelloInLanguages({ name: "Ada" })) {
        greetings.push(greeting);
        proxy.heal();
      }
      assert.equal(greetings.length, 4);
    });
  });

  test("sendGoaway() makes clients open another connection, and calls go on", async () => {
    await withProxy(async (proxy, client) => {
      await client.sayHello({ name: "Ada" });
      proxy.sendGoaway();
      for (let call = 0; call < 3; call++) {
        assert.equal((await client.sayHello({ name: "Ada" })).greeting, "Hello, Ada!");
      }
    });
  });
});
