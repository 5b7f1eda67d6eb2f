import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { createHandlerContext } from "@connectrpc/connect";
import {
  Health,
  HealthCheckRequestSchema,
} from "../../src/healthcheck/gen/grpc/health/v1/health_pb.js";
import { createHealthService } from "../../src/healthcheck/health-service.ts";
import { createHealthcheckManager, HealthcheckManager } from "../../src/healthcheck/manager.ts";
import { ServerHealth } from "../../src/healthcheck/server-health.ts";
import { ServingStatus } from "../../src/healthcheck/status.ts";

/** Counts who listens. */
class ObservedManager extends HealthcheckManager {
  listeners = 0;
  override on(...args: Parameters<HealthcheckManager["on"]>): this {
    this.listeners++;
    return super.on(...args);
  }
  override off(...args: Parameters<HealthcheckManager["off"]>): this {
    this.listeners--;
    return super.off(...args);
  }
}

const never = new AbortController().signal;

describe("ServerHealth", () => {
  test("a watch whose call is over already fails with the reason", async () => {
    const health = new ServerHealth(createHealthcheckManager());
    const reason = new Error("deadline");
    const watch = health.watch("", 0, AbortSignal.abort(reason));
    await assert.rejects(watch.next(), reason);
    assert.deepEqual(await watch.next(), { done: true, value: undefined });
  });

  test("a watch fails with the reason when its call is aborted, and listens no more", async () => {
    const manager = new ObservedManager();
    const call = new AbortController();
    const watch = new ServerHealth(manager).watch("", 0, call.signal);
    await watch.next();
    const waiting = watch.next();
    call.abort(new Error("cancelled"));
    await assert.rejects(waiting, /cancelled/);
    assert.equal(manager.listeners, 0);
  });

  test("a status that waits for the interval does not keep the process alive", async () => {
    const manager = createHealthcheckManager();
    const watch = new ServerHealth(manager).watch("", 60_000, never);
    await watch.next();
    const waiting = watch.next();
    const timers = () => process.getActiveResourcesInfo().filter((type) => type === "Timeout");
    const before = timers().length;
    manager.register("cache", ServingStatus.SERVING);
    assert.equal(timers().length, before);
    await watch.return();
    assert.equal((await waiting).done, true);
  });

  test("a watch that is closed ends, also for who waits for the next status", async () => {
    const health = new ServerHealth(createHealthcheckManager());
    const watch = health.watch("", 0, never);
    assert.equal((await watch.next()).value, ServingStatus.NOT_SERVING);
    const waiting = watch.next();
    await watch.return();
    assert.deepEqual(await waiting, { done: true, value: undefined });
  });

  test("the Watch of a call that returns its iterator listens no more", async () => {
    const manager = new ObservedManager();
    const { watch } = createHealthService(new ServerHealth(manager), 0);
    const context = createHandlerContext({
      service: Health,
      method: Health.method.watch,
      protocolName: "grpc",
      requestMethod: "POST",
      url: "https://localhost",
    });
    const request = create(HealthCheckRequestSchema);
    const statuses = watch(request, context)[Symbol.asyncIterator]();
    await statuses.next();
    const waiting = statuses.next();
    assert.equal(manager.listeners, 1);
    await statuses.return?.();
    assert.equal(manager.listeners, 0);
    assert.equal((await waiting).done, true);
  });

  test("keeps one status for a reader that does not read", async () => {
    const manager = createHealthcheckManager();
    manager.register("cache");
    const watch = new ServerHealth(manager).watch("cache", 0, never);
    for (let round = 0; round < 100_000; round++) {
      manager.set("cache", round % 2 === 0 ? ServingStatus.SERVING : ServingStatus.NOT_SERVING);
    }
    assert.equal((await watch.next()).value, ServingStatus.NOT_SERVING);
    const next = watch.next();
    await watch.return();
    assert.equal((await next).done, true);
  });
});
