import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { createServer } from "connectum/core";
import {
  createHealthcheckManager,
  Healthcheck,
  healthcheckManager,
  ServingStatus,
} from "connectum/healthcheck";
import { audit, auditName, catalogName, serveHealth } from "./serve-health.ts";

const { UNKNOWN, SERVING, NOT_SERVING, SERVICE_UNKNOWN } = ServingStatus;

const noHealthcheck = { code: "NO_HEALTHCHECK", message: /add Healthcheck\(\)/ };

describe("healthcheckManager", () => {
  test("without any Healthcheck() says what to add", () => {
    assert.throws(() => healthcheckManager.update(SERVING), noHealthcheck);
    assert.throws(() => healthcheckManager.update(SERVING, catalogName), noHealthcheck);
    assert.throws(() => healthcheckManager.register("cache"), noHealthcheck);
    assert.throws(() => healthcheckManager.set("cache", SERVING), noHealthcheck);
    assert.throws(() => healthcheckManager.unregister("cache"), noHealthcheck);
    assert.throws(() => healthcheckManager.getStatus(), noHealthcheck);
    assert.throws(() => healthcheckManager.getAllStatuses(), noHealthcheck);
    assert.throws(() => healthcheckManager.getComponentStatuses(), noHealthcheck);
    assert.throws(() => healthcheckManager.areAllHealthy(), noHealthcheck);
  });

  test("reaches the one server of a process", async (t) => {
    const { client, server } = await serveHealth(t, Healthcheck({ automatic: false }));
    healthcheckManager.update(SERVING);
    assert.equal((await client.check({})).status, SERVING);
    healthcheckManager.update(NOT_SERVING, catalogName);
    assert.equal((await client.check({ service: catalogName })).status, NOT_SERVING);
    healthcheckManager.register("cache", SERVING);
    assert.equal((await client.check({ service: "cache" })).status, SERVING);
    healthcheckManager.set("cache", NOT_SERVING);
    assert.equal((await client.check({ service: "cache" })).status, NOT_SERVING);
    healthcheckManager.unregister("cache");
    assert.equal(healthcheckManager.getStatus("cache"), SERVICE_UNKNOWN);
    await server.stop();
  });

  test("reaches every server, and by name those that know it", async (t) => {
    const first = Healthcheck({ automatic: false });
    const second = Healthcheck({ automatic: false });
    const one = await serveHealth(t, first);
    const two = await serveHealth(t, second, { services: [audit] });
    healthcheckManager.update(SERVING);
    assert.equal(first.manager.getStatus(), SERVING);
    assert.equal(second.manager.getStatus(), SERVING);
    assert.equal(healthcheckManager.areAllHealthy(), true);

    healthcheckManager.update(UNKNOWN, auditName);
    assert.equal(second.manager.getStatus(auditName), UNKNOWN);
    assert.equal(first.manager.getStatus(), SERVING);
    assert.equal(healthcheckManager.getStatus(), NOT_SERVING);
    assert.deepEqual(Object.fromEntries(healthcheckManager.getAllStatuses()), {
      [catalogName]: SERVING,
      [auditName]: UNKNOWN,
    });
    assert.throws(() => healthcheckManager.update(SERVING, "nobody"), {
      code: "UNKNOWN_SERVICE",
      message: `unknown service "nobody"; known: ${[auditName, catalogName].sort().join(", ")}`,
    });

    first.manager.register("cache", NOT_SERVING);
    second.manager.register("cache", SERVING);
    assert.deepEqual([...healthcheckManager.getComponentStatuses()], [["cache", NOT_SERVING]]);
    healthcheckManager.set("cache", SERVING);
    assert.equal(first.manager.getStatus("cache"), SERVING);
    assert.throws(() => healthcheckManager.set("db", SERVING), { code: "UNKNOWN_SERVICE" });

    first.manager.on("change", () => assert.fail("bad listener"));
    assert.throws(() => healthcheckManager.update(NOT_SERVING), /bad listener/);
    assert.equal(second.manager.getStatus(auditName), NOT_SERVING);
    await one.server.stop();
    await two.server.stop();
  });

  test("never reaches a manager that was passed in", async (t) => {
    const manager = createHealthcheckManager();
    await serveHealth(t, Healthcheck({ manager }));
    assert.throws(() => healthcheckManager.update(NOT_SERVING), noHealthcheck);
    assert.equal(manager.getStatus(), SERVING);
  });

  test("reaches a server in its `stop` listeners, and not after", async (t) => {
    const { server } = await serveHealth(t, Healthcheck());
    let status: ServingStatus | undefined;
    server.on("stop", () => {
      healthcheckManager.update(NOT_SERVING);
      status = healthcheckManager.getStatus(catalogName);
    });
    await server.stop();
    assert.equal(status, NOT_SERVING);
    assert.throws(() => healthcheckManager.getStatus(), noHealthcheck);
  });

  test("drops a server whose start failed", async (t) => {
    const { port } = await serveHealth(t, Healthcheck({ manager: createHealthcheckManager() }));
    const protocols = [Healthcheck()];
    const server = createServer({ services: [], protocols, port, host: "127.0.0.1" });
    assert.equal(healthcheckManager.getStatus(), NOT_SERVING);
    await assert.rejects(server.start(), { code: "LISTEN_FAILED" });
    assert.throws(() => healthcheckManager.getStatus(), noHealthcheck);
  });

  test("does not keep a forgotten Healthcheck() alive", async () => {
    setFlagsFromString("--expose-gc");
    const collectGarbage: () => void = runInNewContext("gc");
    (() => Healthcheck())();
    assert.equal(healthcheckManager.getStatus(), NOT_SERVING);
    await setImmediate();
    collectGarbage();
    assert.throws(() => healthcheckManager.getStatus(), noHealthcheck);
  });
});
