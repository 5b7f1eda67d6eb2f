import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, test } from "node:test";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createLocalTransport } from "connectum/core";
import { createCircuitBreakerInterceptor, createTimeoutInterceptor } from "connectum/interceptors";
import {
  assertConnectError,
  createFakeClock,
  createTestServer,
  type FakeClock,
} from "connectum/testing";
import { RetryInfoSchema } from "../../src/interceptors/gen/google/rpc/error_details_pb.js";
import { ScriptService } from "../gen/connectum/script/v1/script_pb.js";
import { callKind, everywhere, failure, kinds, localClient, scripted } from "./doors.ts";
import { turn } from "./turn.ts";

const lookName = "connectum.script.v1.ScriptService/Look";
const onceName = "connectum.script.v1.ScriptService/Once";

/** Lets the call begin, then time pass until it is over. */
async function passing(clock: FakeClock, ms: number, call: Promise<unknown>): Promise<void> {
  await turn();
  await clock.advance(ms);
  await call;
  await turn();
}

describe("createCircuitBreakerInterceptor", () => {
  test("opens for a method that fails, in every kind, and for no other", async (t) => {
    let runs = 0;
    const services = [
      scripted(async function* ({ method }) {
        runs++;
        if (method.name === "Once") yield "well";
        else throw new ConnectError("down", Code.Unavailable);
      }),
    ];
    const interceptors = [createCircuitBreakerInterceptor({ volumeThreshold: 2 })];
    const names = { unary: "Look", "server streaming": "Download" } as Record<string, string>;
    await everywhere(t, { services, interceptors }, async (client, kind) => {
      for (let call = 0; call < 2; call++) await callKind(client, kind);
      runs = 0;
      const { error } = await callKind(client, kind);
      assert.equal(runs, 0);
      assert.equal(error?.code, Code.Unavailable);
      if (names[kind])
        assert.match(error.rawMessage, new RegExp(`ScriptService/${names[kind]} keeps`));
      assert.match(error.rawMessage, /tries again in \d+ ms/);
      const [info] = error.findDetails(RetryInfoSchema);
      assert.ok(info?.retryDelay && info.retryDelay.seconds >= 20n);
      assert.equal((await client.once({})).content?.text, "well");
    });
  });

  test("half-open lets one probe through, closes when it succeeds, opens when it fails", async (t) => {
    const clock = createFakeClock({ t });
    const changes: string[] = [];
    const breaker = createCircuitBreakerInterceptor({
      volumeThreshold: 4,
      openMs: 1_000,
      onStateChange: ({ method, state }) => changes.push(`${method} ${state}`),
    });
    let isDown = true;
    let gate: Promise<void> | undefined;
    let runs = 0;
    const client = await localClient(t, [breaker], async function* () {
      runs++;
      await gate;
      if (isDown) throw new Error("down");
      yield "up";
    });
    assert.equal(breaker.state(onceName), "closed");
    for (let call = 0; call < 4; call++) await failure(client.once({}));
    assert.equal(breaker.state(onceName), "open");
    assert.equal(breaker.state(lookName), "closed");
    await clock.advance(999);
    await assertConnectError(client.once({}), Code.Unavailable);
    await clock.advance(1);
    assert.equal(breaker.state(ScriptService.method.once), "halfOpen");
    runs = 0;
    let open = () => {};
    gate = new Promise((resolve) => {
      open = resolve;
    });
    const probe = failure(client.once({}));
    assert.match((await failure(client.once({}))).rawMessage, /is trying again/);
    assert.equal(runs, 1);
    open();
    assert.equal((await probe).code, Code.Internal);
    await turn();
    assert.equal(breaker.state(onceName), "open");
    await clock.advance(1_000);
    isDown = false;
    assert.equal((await client.once({})).content?.text, "up");
    await turn();
    assert.equal(breaker.state(onceName), "closed");
    // What failed before does not count any more.
    isDown = true;
    await failure(client.once({}));
    assert.equal(breaker.state(onceName), "closed");
    assert.deepEqual(changes, [
      `${onceName} open`,
      `${onceName} halfOpen`,
      `${onceName} open`,
      `${onceName} halfOpen`,
      `${onceName} closed`,
    ]);
  });

  test("only errors of the server's making count", async (t) => {
    const counting: Code[] = [];
    for (const code of Object.values(Code).filter((code) => typeof code === "number")) {
      const breaker = createCircuitBreakerInterceptor({ volumeThreshold: 1 });
      const client = await localClient(t, [breaker], async function* () {
        yield* [];
        throw new ConnectError("x", code);
      });
      await failure(client.once({}));
      if (breaker.state(onceName) === "open") counting.push(code);
    }
    assert.deepEqual(counting, [
      Code.Unknown,
      // No client set a deadline here, so the handler ran into one of its own.
      Code.DeadlineExceeded,
      Code.Internal,
      Code.Unavailable,
      Code.DataLoss,
    ]);
  });

  test("a handler that hangs counts when the server's limit is over, not when a client's is", async (t) => {
    const clock = createFakeClock({ t });
    const breaker = createCircuitBreakerInterceptor({ volumeThreshold: 1 });
    const client = await localClient(
      t,
      [createTimeoutInterceptor({ timeoutMs: 30 }), breaker],
      async function* () {
        yield* [];
        await new Promise(() => {});
      },
    );
    await passing(clock, 10, failure(client.once({}, { timeoutMs: 10 })));
    assert.equal(breaker.state(onceName), "closed");
    await passing(clock, 30, failure(client.once({})));
    assert.equal(breaker.state(onceName), "open");
  });

  test("a handler that throws its signal's reason counts by whose deadline it was", async (t) => {
    const clock = createFakeClock({ t });
    const breaker = createCircuitBreakerInterceptor({ volumeThreshold: 1 });
    const client = await localClient(
      t,
      [breaker, createTimeoutInterceptor({ timeoutMs: 30 })],
      async function* ({ signal }) {
        yield* [];
        await once(signal, "abort");
        throw signal.reason;
      },
    );
    await passing(clock, 10, failure(client.once({}, { timeoutMs: 10 })));
    assert.equal(breaker.state(onceName), "closed");
    await passing(clock, 30, failure(client.once({})));
    assert.equal(breaker.state(onceName), "open");
  });

  test("streams count by how they end", async (t) => {
    for (const fails of [false, true]) {
      const breaker = createCircuitBreakerInterceptor({ volumeThreshold: 1 });
      const client = await localClient(t, [breaker], async function* () {
        yield "text";
        if (fails) throw new Error("down");
      });
      await callKind(client, "server streaming");
      const state = breaker.state("connectum.script.v1.ScriptService/Download");
      assert.equal(state, fails ? "open" : "closed");
    }
  });

  test("below the volume or the threshold it stays closed; calls are forgotten after the window", async (t) => {
    const clock = createFakeClock({ t });
    const breaker = createCircuitBreakerInterceptor({
      volumeThreshold: 4,
      errorThresholdPercentage: 75,
      rollingWindowMs: 1_000,
    });
    let isDown = true;
    const client = await localClient(t, [breaker], async function* () {
      if (isDown) throw new Error("down");
      yield "up";
    });
    const call = async (down: boolean) => {
      isDown = down;
      await client.once({}).catch(() => {});
    };
    for (let count = 0; count < 3; count++) await call(true);
    assert.equal(breaker.state(onceName), "closed", "three of at least four");
    await clock.advance(1_100);
    await call(false);
    await call(false);
    await call(true);
    await call(true);
    assert.equal(breaker.state(onceName), "closed", "50 % of at least 75 %");
    for (let count = 0; count < 4; count++) await call(true);
    assert.equal(breaker.state(onceName), "open", "6 of 8");
  });

  test("scope makes methods share a breaker", async (t) => {
    for (const [scope, name] of [
      ["service", "connectum.script.v1.ScriptService/*"],
      ["server", "*"],
    ] as const) {
      const changes: string[] = [];
      const breaker = createCircuitBreakerInterceptor({
        volumeThreshold: 1,
        scope,
        onStateChange: ({ method }) => changes.push(method),
      });
      const client = await localClient(t, [breaker], async function* () {
        yield* [];
        throw new Error("down");
      });
      await failure(client.once({}));
      assert.equal(breaker.state(lookName), "open");
      assert.deepEqual(changes, [name]);
    }
  });

  test("skipMethods are called however often they fail", async (t) => {
    const breaker = createCircuitBreakerInterceptor({
      volumeThreshold: 1,
      skipMethods: [onceName],
    });
    const client = await localClient(t, [breaker], async function* () {
      yield* [];
      throw new Error("down");
    });
    for (const name of ["once", "look"] as const) {
      await failure(client[name]({}));
      const { code } = await failure(client[name]({}));
      assert.equal(code, name === "once" ? Code.Internal : Code.Unavailable);
    }
    assert.equal(breaker.state(onceName), "closed");
  });

  test("isFailure decides instead", async (t) => {
    const breaker = createCircuitBreakerInterceptor({
      volumeThreshold: 1,
      isFailure: (error) => ConnectError.from(error).code === Code.NotFound,
    });
    let code = Code.Internal;
    const client = await localClient(t, [breaker], async function* () {
      yield* [];
      throw new ConnectError("x", code);
    });
    await failure(client.once({}));
    assert.equal(breaker.state(onceName), "closed");
    code = Code.NotFound;
    for (let count = 0; count < 2; count++) await failure(client.once({}));
    assert.equal(breaker.state(onceName), "open");
  });

  test("on a client it guards what the client calls", async (t) => {
    let runs = 0;
    const { server } = await createTestServer({
      t,
      services: [
        scripted(async function* () {
          yield* [];
          runs++;
          throw new ConnectError("down", Code.Unavailable);
        }),
      ],
    });
    const breaker = createCircuitBreakerInterceptor({ volumeThreshold: 3 });
    const client = createClient(
      ScriptService,
      createLocalTransport(server, { interceptors: [breaker] }),
    );
    for (const kind of kinds) {
      runs = 0;
      for (let call = 0; call < 5; call++) {
        assert.equal((await callKind(client, kind)).error?.code, Code.Unavailable);
      }
      assert.equal(runs, 3, kind);
    }
  });

  test("idle breakers keep no process alive", async () => {
    const { spawnSync } = await import("node:child_process");
    const script = `
      import { createServer, defineService } from "connectum/core";
      import { createDefaultInterceptors } from "connectum/interceptors";
      import { GreeterService } from "./examples/greeter/gen/greeter/v1/greeter_pb.js";
      const server = createServer({
        services: [defineService(GreeterService, { sayHello() { throw new Error("down"); } })],
        interceptors: createDefaultInterceptors({ circuitBreaker: { volumeThreshold: 1 } }),
      });
      const client = server.localClient(GreeterService);
      for (let call = 0; call < 3; call++) await client.sayHello({}).catch(() => {});
    `;
    const options = { timeout: 20_000, encoding: "utf8" } as const;
    const args = ["--input-type=module", "--eval", script];
    const { status, stderr } = spawnSync(process.execPath, args, options);
    assert.equal(status, 0, stderr);
  });

  test("refuses options that cannot work", () => {
    assert.throws(
      () => createCircuitBreakerInterceptor({ errorThresholdPercentage: 101 }),
      /circuitBreaker.errorThresholdPercentage must be a number from 1 to 100, got 101/,
    );
    assert.throws(() => createCircuitBreakerInterceptor({ volumeThreshold: 0 }), /volumeThreshold/);
    assert.throws(() => createCircuitBreakerInterceptor({ openMs: 0 }), /circuitBreaker.openMs/);
    assert.throws(() => createCircuitBreakerInterceptor({ rollingWindowMs: 1 }), /rollingWindowMs/);
    assert.throws(() => createCircuitBreakerInterceptor({ isFailure: true as never }), /isFailure/);
    assert.throws(() => createCircuitBreakerInterceptor({ timeout: 1 } as never), /no option/);
  });
});
