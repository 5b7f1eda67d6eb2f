import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import type { Logger } from "connectum/core";
import { createServer } from "connectum/core";
import {
  createHealthcheckManager,
  Healthcheck,
  type HealthcheckManager,
  ServingStatus,
} from "connectum/healthcheck";
import { drainBySignal, nextChange, serveHealth, signalServer } from "./serve-health.ts";

const { UNKNOWN, SERVING, NOT_SERVING, SERVICE_UNKNOWN } = ServingStatus;

/** A check whose runs the test begins to see and ends one by one. */
class Gate {
  readonly signals: AbortSignal[] = [];
  #arrived: () => void = () => {};
  #arrival = this.#nextArrival();
  #settle: { pass(value?: unknown): void; fail(error: unknown): void } | undefined;

  readonly check = (signal: AbortSignal): Promise<unknown> => {
    this.signals.push(signal);
    const run = new Promise((pass, fail) => {
      this.#settle = { pass, fail };
    });
    this.#arrived();
    this.#arrival = this.#nextArrival();
    return run;
  };

  get arrival(): Promise<void> {
    return this.#arrival;
  }

  pass(value?: unknown): void {
    this.#settle?.pass(value);
  }

  fail(error: unknown): void {
    this.#settle?.fail(error);
  }

  #nextArrival(): Promise<void> {
    return new Promise((resolve) => {
      this.#arrived = resolve;
    });
  }
}

/** Lines by message, and the moment of the next one. */
function recordingLogger() {
  const lines: Array<{ level: string; details: { err?: Error }; message: string }> = [];
  let heard = () => {};
  const write = (level: string) => (details: object, message: string) => {
    lines.push({ level, details, message });
    heard();
  };
  const logger: Logger = {
    debug: write("debug"),
    info: write("info"),
    warn: write("warn"),
    error: write("error"),
  };
  const nextLine = () =>
    new Promise<void>((resolve) => {
      heard = resolve;
    });
  return { logger, lines, nextLine };
}

function until(manager: HealthcheckManager, status: ServingStatus): Promise<unknown> {
  return nextChange(manager, (change) => change.service === "db" && change.status === status);
}

/** Lets what has settled take effect; no time passes. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
}

function mockClock(t: TestContext): (ms: number) => void {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  return (ms) => t.mock.timers.tick(ms);
}

describe("checks", () => {
  test("a component is UNKNOWN until its first success, and so is the server not SERVING", async (t) => {
    const gate = new Gate();
    const health = Healthcheck({ httpEnabled: true, checks: { db: { check: gate.check } } });
    const { client, baseUrl } = await serveHealth(t, health);
    assert.equal((await client.check({ service: "db" })).status, UNKNOWN);
    assert.equal((await client.check({})).status, NOT_SERVING);
    const serving = until(health.manager, SERVING);
    gate.pass();
    await serving;
    assert.equal((await client.check({ service: "db" })).status, SERVING);
    assert.equal((await client.check({})).status, SERVING);
    const body = (await (await fetch(`${baseUrl}/readyz`)).json()) as { components: object };
    assert.deepEqual(body.components, { db: "SERVING" });
  });

  test("runs again intervalMs after the end of a run; fails after failureThreshold", async (t) => {
    const tick = mockClock(t);
    const { logger, lines, nextLine } = recordingLogger();
    const gate = new Gate();
    const health = Healthcheck({
      checks: { db: { check: gate.check, intervalMs: 1_000, failureThreshold: 2 } },
    });
    await serveHealth(t, health, { logger });
    gate.pass();
    await until(health.manager, SERVING);
    const nextRun = async () => {
      await settled();
      const runs = gate.signals.length;
      tick(999);
      await settled();
      assert.equal(gate.signals.length, runs);
      const arrival = gate.arrival;
      tick(1);
      await arrival;
    };
    const failRun = async () => {
      await nextRun();
      const logged = nextLine();
      gate.fail(new Error("connection refused"));
      await logged;
      return health.manager.getStatus("db");
    };
    assert.equal(await failRun(), SERVING);
    await nextRun();
    gate.pass();
    // The success in between makes it the first failure again.
    assert.equal(await failRun(), SERVING);
    assert.equal(await failRun(), NOT_SERVING);
    assert.equal(await failRun(), NOT_SERVING);
    await nextRun();
    gate.pass();
    await until(health.manager, SERVING);
    const failed = ["warn", "health check failed", "connection refused"];
    assert.deepEqual(
      lines.map(({ level, message, details }) => [level, message, details.err?.message]),
      [failed, failed, failed, failed, ["info", "health check passes again", undefined]],
    );
  });

  test("a check that hangs fails after timeoutMs, its signal aborted", async (t) => {
    const tick = mockClock(t);
    const { logger, lines, nextLine } = recordingLogger();
    const gate = new Gate();
    const health = Healthcheck({
      checks: { db: { check: gate.check, timeoutMs: 500, failureThreshold: 1 } },
    });
    await serveHealth(t, health, { logger });
    await settled();
    tick(499);
    assert.equal(gate.signals[0]?.aborted, false);
    const logged = nextLine();
    tick(1);
    assert.equal(gate.signals[0]?.aborted, true);
    await logged;
    assert.equal(health.manager.getStatus("db"), NOT_SERVING);
    assert.equal(lines[0]?.details.err?.message, "no answer within 500 ms");
    // The late answer of the run that timed out does not count.
    gate.pass();
    await settled();
    assert.equal(health.manager.getStatus("db"), NOT_SERVING);
    const arrival = gate.arrival;
    tick(10_000);
    await arrival;
    gate.pass();
    await until(health.manager, SERVING);
  });

  test("defaults: every 10 s, 2 s to answer, 3 failures", async (t) => {
    const tick = mockClock(t);
    const { logger, nextLine } = recordingLogger();
    const gate = new Gate();
    const health = Healthcheck({ checks: { db: { check: gate.check } } });
    await serveHealth(t, health, { logger });
    for (let failures = 1; failures <= 3; failures++) {
      await settled();
      const logged = nextLine();
      tick(1_999);
      assert.equal(gate.signals.at(-1)?.aborted, false);
      tick(1);
      await logged;
      assert.equal(health.manager.getStatus("db"), failures < 3 ? UNKNOWN : NOT_SERVING);
      await settled();
      const arrival = gate.arrival;
      tick(10_000);
      await arrival;
    }
  });

  const failing: Record<string, () => unknown> = {
    "returns false": () => false,
    "resolves to false": async () => false,
    throws: () => {
      throw new Error("no");
    },
    "rejects with nothing": () => Promise.reject(undefined),
  };
  for (const [name, check] of Object.entries(failing)) {
    test(`a check that ${name} has failed`, async (t) => {
      const health = Healthcheck({ checks: { db: { check, failureThreshold: 1 } } });
      const failed = until(health.manager, NOT_SERVING);
      await serveHealth(t, health);
      await failed;
    });
  }

  test("a check keeps its `this`", async (t) => {
    class Probe {
      readonly #isUp = true;
      check() {
        return this.#isUp;
      }
    }
    const health = Healthcheck({ checks: { db: new Probe() } });
    const passed = until(health.manager, SERVING);
    await serveHealth(t, health);
    await passed;
  });

  test("what a check throws is never shown", async (t) => {
    const check = () => Promise.reject(new Error("password=hunter2"));
    const health = Healthcheck({
      httpEnabled: true,
      checks: { db: { check, failureThreshold: 1 } },
    });
    const failed = until(health.manager, NOT_SERVING);
    const { baseUrl } = await serveHealth(t, health);
    await failed;
    for (const path of ["/livez", "/readyz", "/healthz?service=db"]) {
      assert.doesNotMatch(await (await fetch(baseUrl + path)).text(), /hunter2/);
    }
  });

  test("ends with the stop: the running one aborted, no other begun, the component gone", async (t) => {
    const gate = new Gate();
    const health = Healthcheck({ checks: { db: { check: gate.check } } });
    const { logger, lines } = recordingLogger();
    const { server, client } = await serveHealth(t, health, { ...drainBySignal, logger });
    const stopped = new Promise<void>((resolve) => server.on("stop", () => resolve()));
    await settled();
    assert.equal(gate.signals[0]?.aborted, false);
    signalServer();
    assert.equal(gate.signals[0]?.aborted, true);
    assert.equal((await client.check({ service: "db" })).status, NOT_SERVING);
    signalServer();
    await stopped;
    assert.equal(gate.signals.length, 1);
    assert.equal(health.manager.getStatus("db"), SERVICE_UNKNOWN);
    assert.deepEqual(lines, []);
  });

  test("never runs on a server that does not get ready, and leaves nothing behind", async (t) => {
    const manager = createHealthcheckManager();
    const { port } = await serveHealth(t, Healthcheck());
    const gate = new Gate();
    const protocols = [Healthcheck({ manager, checks: { db: { check: gate.check } } })];
    const server = createServer({ services: [], protocols, port, host: "127.0.0.1" });
    await assert.rejects(server.start(), { code: "LISTEN_FAILED" });
    assert.equal(gate.signals.length, 0);
    assert.equal(manager.getComponentStatuses().size, 0);
  });

  test("does not keep the process alive", async (t) => {
    const health = Healthcheck({ checks: { db: { check() {} } } });
    const passed = until(health.manager, SERVING);
    const before = process.getActiveResourcesInfo().filter((type) => type === "Timeout").length;
    await serveHealth(t, health);
    await passed;
    await settled();
    const after = process.getActiveResourcesInfo().filter((type) => type === "Timeout").length;
    assert.equal(after, before);
  });

  test("a component somebody has removed is logged, and the loop goes on", async (t) => {
    const tick = mockClock(t);
    const { logger, lines, nextLine } = recordingLogger();
    const gate = new Gate();
    const health = Healthcheck({ checks: { db: { check: gate.check } } });
    await serveHealth(t, health, { logger });
    health.manager.unregister("db");
    await settled();
    const logged = nextLine();
    gate.pass();
    await logged;
    assert.equal(lines[0]?.level, "error");
    health.manager.register("db");
    await settled();
    const arrival = gate.arrival;
    tick(10_000);
    await arrival;
    gate.pass();
    await until(health.manager, SERVING);
  });
});
