import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  createHealthcheckManager,
  type HealthChange,
  Healthcheck,
  type HealthcheckManager,
  ServingStatus,
} from "connectum/healthcheck";
import { audit, auditName, catalog, catalogName, serveHealth } from "./serve-health.ts";

const { UNKNOWN, SERVING, NOT_SERVING, SERVICE_UNKNOWN } = ServingStatus;

function record(manager: HealthcheckManager): HealthChange[] {
  const changes: HealthChange[] = [];
  manager.on("change", (change) => changes.push(change));
  return changes;
}

describe("HealthcheckManager", () => {
  test("knows nothing and is not healthy at first", () => {
    const manager = createHealthcheckManager();
    assert.equal(manager.getStatus(), NOT_SERVING);
    assert.equal(manager.getStatus("a.B"), SERVICE_UNKNOWN);
    assert.equal(manager.getAllStatuses().size, 0);
    assert.equal(manager.areAllHealthy(), false);
  });

  test("update() with a name before the server knows its services says so", () => {
    const manager = createHealthcheckManager();
    assert.throws(() => manager.update(SERVING, "a.B"), {
      code: "UNKNOWN_SERVICE",
      message: 'unknown service "a.B"; no service is known yet',
    });
  });

  test("update() without a name holds for services mounted later", async (t) => {
    const health = Healthcheck({ automatic: false });
    health.manager.update(SERVING);
    assert.equal(health.manager.getStatus(), SERVING);
    await serveHealth(t, health);
    assert.equal(health.manager.getStatus(catalogName), SERVING);
  });

  test("update() without a name replaces what was set by name, and leaves components", async (t) => {
    const { manager } = await twoServices(t);
    manager.register("cache", SERVING);
    manager.update(SERVING, catalogName);
    manager.update(NOT_SERVING);
    assert.deepEqual(Object.fromEntries(manager.getAllStatuses()), {
      [catalogName]: NOT_SERVING,
      [auditName]: NOT_SERVING,
      cache: SERVING,
    });
  });

  test("is healthy when every service and component is", async (t) => {
    const { manager } = await twoServices(t);
    manager.update(SERVING, catalogName);
    assert.equal(manager.areAllHealthy(), false);
    assert.equal(manager.getStatus(), NOT_SERVING);
    manager.update(SERVING, auditName);
    assert.equal(manager.areAllHealthy(), true);
    assert.equal(manager.getStatus(), SERVING);
    manager.register("cache");
    assert.equal(manager.getStatus("cache"), UNKNOWN);
    assert.equal(manager.areAllHealthy(), false);
    manager.set("cache", SERVING);
    assert.equal(manager.areAllHealthy(), true);
    manager.set("cache", NOT_SERVING);
    assert.equal(manager.getStatus(), NOT_SERVING);
    assert.deepEqual(Object.fromEntries(manager.getComponentStatuses()), { cache: NOT_SERVING });
    manager.unregister("cache");
    assert.equal(manager.getStatus(), SERVING);
    assert.equal(manager.getStatus("cache"), SERVICE_UNKNOWN);
  });

  test("a component must be registered, once, under a name without dots", async (t) => {
    const { manager } = await twoServices(t);
    manager.register("cache");
    const unknown = { code: "UNKNOWN_SERVICE", message: 'unknown component "db"; known: cache' };
    assert.throws(() => manager.set("db", SERVING), unknown);
    assert.throws(() => manager.unregister("db"), unknown);
    assert.throws(() => manager.update(SERVING, "cache"), { code: "UNKNOWN_SERVICE" });
    for (const name of ["cache", "a.b", ""]) {
      assert.throws(() => manager.register(name), { code: "INVALID_OPTION" });
    }
  });

  test("refuses what is no status to set", () => {
    const manager = createHealthcheckManager();
    for (const status of [SERVICE_UNKNOWN, 4, "SERVING", undefined]) {
      assert.throws(() => manager.update(status as ServingStatus), {
        code: "INVALID_OPTION",
        message: /must be UNKNOWN, SERVING or NOT_SERVING/,
      });
    }
    assert.equal(manager.getStatus(), NOT_SERVING);
  });

  test("tells of changes only, each once, and of the whole server under the empty name", () => {
    const manager = createHealthcheckManager();
    manager.register("cache", SERVING);
    const changes = record(manager);
    manager.set("cache", SERVING);
    manager.set("cache", NOT_SERVING);
    manager.unregister("cache");
    assert.deepEqual(changes, [
      { service: "cache", status: NOT_SERVING, previous: SERVING },
      { service: "", status: NOT_SERVING, previous: SERVING },
      { service: "cache", status: SERVICE_UNKNOWN, previous: NOT_SERVING },
    ]);
  });

  test("a listener that makes a change is heard after the one it heard", () => {
    const manager = createHealthcheckManager();
    manager.register("a");
    manager.register("b");
    manager.on("change", ({ service }) => {
      if (service === "a") manager.set("b", NOT_SERVING);
    });
    const changes = record(manager);
    manager.set("a", NOT_SERVING);
    assert.deepEqual(
      changes.map(({ service }) => service),
      ["a", "b"],
    );
  });

  test("a listener that throws does not keep others from hearing", () => {
    const manager = createHealthcheckManager();
    const failing = () => {
      throw new Error("bad listener");
    };
    manager.on("change", failing);
    const changes = record(manager);
    assert.throws(() => manager.register("cache", SERVING), /bad listener/);
    assert.equal(changes.length, 2);
    assert.equal(manager.getStatus("cache"), SERVING);
    manager.off("change", failing);
    manager.set("cache", NOT_SERVING);
    assert.equal(changes.length, 4);
  });
});

async function twoServices(t: Parameters<typeof serveHealth>[0]) {
  const health = Healthcheck({ automatic: false });
  await serveHealth(t, health, { services: [catalog, audit] });
  return health;
}
