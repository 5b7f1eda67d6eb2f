import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import { createServer } from "connectum/core";
import {
  createHealthcheckManager,
  Healthcheck,
  HealthcheckManager,
  type HealthcheckOptions,
  healthcheckManager,
  ServingStatus,
} from "connectum/healthcheck";
import { Reflection } from "connectum/reflection";
import { createTestServer } from "connectum/testing";
import { Health } from "../../src/healthcheck/gen/grpc/health/v1/health_pb.js";
import { createTransport, grid } from "../support/transports.ts";
import {
  audit,
  auditName,
  catalog,
  catalogName,
  healthClient,
  nextChange,
  serveHealth,
  Watch,
} from "./serve-health.ts";

const { UNKNOWN, SERVING, NOT_SERVING, SERVICE_UNKNOWN } = ServingStatus;

describe("bugs of the predecessor, as a user would meet them", () => {
  test("update() without a name reaches every service, not only the first", async (t) => {
    const health = Healthcheck({ automatic: false });
    const { client } = await serveHealth(t, health, { services: [catalog, audit] });
    health.manager.update(SERVING);
    assert.equal((await client.check({ service: catalogName })).status, SERVING);
    assert.equal((await client.check({ service: auditName })).status, SERVING);
    assert.equal((await client.check({})).status, SERVING);
  });

  test("a misspelt service name is an error that lists the known ones, not a new entry", async (t) => {
    const health = Healthcheck();
    const { client } = await serveHealth(t, health);
    assert.throws(() => health.manager.update(SERVING, "catalog"), {
      name: "ConnectumError",
      code: "UNKNOWN_SERVICE",
      message: `unknown service "catalog"; known: ${catalogName}`,
    });
    assert.deepEqual([...health.manager.getAllStatuses().keys()], [catalogName]);
    await assert.rejects(client.check({ service: "catalog" }), { code: Code.NotFound });
  });

  test("two servers in one process do not share their health", async (t) => {
    const [first, second] = [Healthcheck(), Healthcheck()];
    const { client: firstClient } = await serveHealth(t, first);
    const { client: secondClient } = await serveHealth(t, second);
    first.manager.update(NOT_SERVING);
    assert.equal((await firstClient.check({})).status, NOT_SERVING);
    assert.equal((await secondClient.check({})).status, SERVING);
  });

  test("a Watch does not wait for the next 500 ms poll", async (t) => {
    const health = Healthcheck();
    const { client } = await serveHealth(t, health);
    const watch = new Watch(client);
    await watch.next();
    // With the clock at a standstill only a push can arrive.
    t.mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
    health.manager.update(NOT_SERVING);
    assert.equal(await watch.next(), NOT_SERVING);
    t.mock.timers.reset();
    watch.leave();
  });

  test("the HTTP body names every status, and never says undefined", async (t) => {
    const health = Healthcheck({ httpEnabled: true });
    const { baseUrl } = await serveHealth(t, health);
    const read = async (service: string) => {
      const response = await fetch(`${baseUrl}/healthz?service=${service}`);
      return ((await response.json()) as { status: string }).status;
    };
    for (const [name, status] of Object.entries(ServingStatus)) {
      if (status === SERVICE_UNKNOWN) continue;
      health.manager.update(status);
      assert.equal(await read(catalogName), name);
    }
    assert.equal(await read("nobody"), "SERVICE_UNKNOWN");
  });
});

describe("Check and List", () => {
  for (const name of grid) {
    test(`answer over ${name}`, async (t) => {
      const health = Healthcheck();
      const { baseUrl } = await serveHealth(t, health);
      const client = healthClient(createTransport(name, baseUrl));
      health.manager.register("cache", NOT_SERVING);
      assert.equal((await client.check({})).status, NOT_SERVING);
      assert.equal((await client.check({ service: catalogName })).status, SERVING);
      assert.equal((await client.check({ service: "cache" })).status, NOT_SERVING);
      await assert.rejects(client.check({ service: "nobody" }), (error) => {
        const { code, rawMessage } = ConnectError.from(error);
        assert.equal(code, Code.NotFound);
        assert.equal(rawMessage, 'unknown service "nobody"');
        return true;
      });
      const { statuses } = await client.list({});
      assert.deepEqual(
        Object.entries(statuses).map(([service, { status }]) => [service, status]),
        [
          [catalogName, SERVING],
          ["cache", NOT_SERVING],
          ["", NOT_SERVING],
        ],
      );
    });
  }

  test("know what is mounted, not what its proto file holds, nor gRPC's own services", async (t) => {
    const health = Healthcheck();
    const { client } = await serveHealth(t, health, { protocols: [Reflection(), health] });
    assert.deepEqual(Object.keys((await client.list({})).statuses).sort(), ["", catalogName]);
    await assert.rejects(client.check({ service: auditName }), { code: Code.NotFound });
  });

  test("see a service that is added late, whatever the order of registration", async (t) => {
    const health = Healthcheck();
    const server = createServer({ services: [], protocols: [health], port: 0, host: "127.0.0.1" });
    server.addProtocol({ name: "late", register: (router) => audit.register(router) });
    t.after(() => server[Symbol.asyncDispose]());
    await server.start();
    assert.equal(health.manager.getStatus(auditName), SERVING);
  });

  test("a server without services is SERVING when ready", async (t) => {
    const health = Healthcheck();
    const { client } = await serveHealth(t, health, { services: [] });
    assert.equal((await client.check({})).status, SERVING);
    assert.equal(health.manager.areAllHealthy(), false);
    health.manager.register("cache", SERVING);
    assert.equal((await client.check({})).status, SERVING);
    health.manager.update(NOT_SERVING);
    assert.equal((await client.check({})).status, NOT_SERVING);
    health.manager.update(SERVING);
    health.manager.set("cache", NOT_SERVING);
    assert.equal((await client.check({})).status, NOT_SERVING);
  });

  test("answer in process, before the server starts and without it starting", async () => {
    const health = Healthcheck();
    const server = createServer({ services: [catalog], protocols: [health] });
    const client = server.localClient(Health);
    assert.equal((await client.check({})).status, NOT_SERVING);
    assert.equal((await client.check({ service: catalogName })).status, UNKNOWN);
    const watch = new Watch(client);
    assert.equal(await watch.next(), NOT_SERVING);
    health.manager.update(SERVING);
    assert.equal(await watch.next(), SERVING);
    const end = [watch.next(), watch.next()];
    await server[Symbol.asyncDispose]();
    assert.deepEqual(await Promise.all(end), [NOT_SERVING, undefined]);
  });
});

describe("Healthcheck", () => {
  test("the mission's first example runs", async (t) => {
    const server = createServer({
      services: [catalog],
      port: 0,
      protocols: [Healthcheck({ httpEnabled: true, watchInterval: 1000 }), Reflection()],
    });
    t.after(() => server[Symbol.asyncDispose]());
    server.on("ready", () => {
      healthcheckManager.update(ServingStatus.SERVING);
    });
    await server.start();
    assert.equal(healthcheckManager.getStatus(catalogName), SERVING);
  });

  test("automatic leaves alone what the user has set", async (t) => {
    const health = Healthcheck();
    const { server } = await createTestServer({
      t,
      services: [catalog, audit],
      protocols: [
        health,
        {
          name: "warm-up",
          register: (_router, { on }) => {
            on("ready", () => health.manager.update(NOT_SERVING, auditName));
          },
        },
      ],
    });
    assert.equal(server.state, "running");
    assert.equal(health.manager.getStatus(auditName), NOT_SERVING);
    assert.equal(health.manager.getStatus(catalogName), SERVING);
  });

  test("one manager for two servers is one state, and only the draining one says so", async (t) => {
    const manager = createHealthcheckManager();
    const one = await serveHealth(t, Healthcheck({ manager, httpEnabled: true }));
    const two = await serveHealth(t, Healthcheck({ manager, httpEnabled: true }), {
      services: [audit],
    });
    assert.deepEqual([...manager.getAllStatuses().keys()].sort(), [auditName, catalogName]);
    manager.update(NOT_SERVING, auditName);
    assert.equal((await one.client.check({})).status, NOT_SERVING);
    manager.update(SERVING);
    await one.server.stop();
    assert.equal((await two.client.check({})).status, SERVING);
    assert.equal((await fetch(`${two.baseUrl}/readyz`)).status, 200);
    assert.deepEqual([...manager.getAllStatuses().keys()], [auditName]);
  });

  test("a manager held over two lives forgets the services of the first", async (t) => {
    const manager = createHealthcheckManager();
    const first = await serveHealth(t, Healthcheck({ manager }));
    manager.update(NOT_SERVING, catalogName);
    await first.server.stop();
    assert.equal(manager.getStatus(catalogName), NOT_SERVING);
    const second = await serveHealth(t, Healthcheck({ manager }), { services: [audit] });
    assert.equal((await second.client.check({})).status, SERVING);
    assert.equal(manager.getStatus(catalogName), SERVICE_UNKNOWN);
  });

  test("one registration serves one server at a time", async (t) => {
    const health = Healthcheck();
    const first = await serveHealth(t, health);
    const second = createServer({ services: [], protocols: [health], port: 0, host: "127.0.0.1" });
    await assert.rejects(second.start(), { code: "INVALID_STATE", message: /once per server/ });
    await first.server.stop();
    const third = await serveHealth(t, health);
    assert.equal((await third.client.check({})).status, SERVING);
  });

  test("a start that failed over another protocol says why, also when asked before", async () => {
    const broken = {
      name: "broken",
      register() {
        throw new Error("no route to this");
      },
    };
    const protocols = [Healthcheck({ checks: { database: { check() {} } } }), broken];
    const server = createServer({ services: [catalog], protocols, port: 0, host: "127.0.0.1" });
    assert.throws(() => server.hasService(catalog.descriptor), /no route/);
    await assert.rejects(server.start(), /no route/);
  });

  test("has a manager of its own, or the given one", () => {
    const manager = createHealthcheckManager();
    assert.equal(Healthcheck({ manager }).manager, manager);
    assert.ok(Healthcheck().manager instanceof HealthcheckManager);
    assert.notEqual(Healthcheck().manager, Healthcheck({ manager: undefined }).manager);
  });

  const misuses: Array<[string, unknown, RegExp]> = [
    ["an unknown option", { http: true }, /Healthcheck has no option "http"; did you mean "http/],
    ["a negative interval", { watchInterval: -1 }, /watchInterval must be/],
    ["the forwarder as manager", { manager: healthcheckManager }, /createHealthcheckManager\(\)/],
    ["a relative path", { httpPaths: ["healthz"] }, /httpPaths\.health must .*got "healthz"/],
    ["a path with a query", { httpPaths: { live: ["/l?a=1"] } }, /httpPaths\.live must/],
    [
      "a path of two kinds",
      { httpPaths: { live: ["/h"], ready: ["/h"] } },
      /"\/h" as "live" and as/,
    ],
    ["an unknown kind of path", { httpPaths: { alive: ["/h"] } }, /did you mean "live"/],
    ["text for httpEnabled", { httpEnabled: "false" }, /httpEnabled must be true or false/],
    ["text for automatic", { automatic: "no" }, /automatic must be true or false/],
    ["checks that are a function", { checks: () => {} }, /checks must be an object/],
    ["a check without function", { checks: { db: {} } }, /checks\.db\.check must be a function/],
    ["a check with a dot", { checks: { "a.b": { check() {} } } }, /nor contain a dot, got "a\.b"/],
    ["an unknown check option", { checks: { db: { check() {}, timeout: 1 } } }, /"timeoutMs"/],
    ["no interval", { checks: { db: { check() {}, intervalMs: 0 } } }, /checks\.db\.intervalMs/],
    ["no timeout", { checks: { db: { check() {}, timeoutMs: 0 } } }, /checks\.db\.timeoutMs/],
    ["no threshold", { checks: { db: { check() {}, failureThreshold: 0 } } }, /failureThreshold/],
  ];
  for (const [name, options, message] of misuses) {
    test(`refuses ${name}`, () => {
      assert.throws(() => Healthcheck(options as HealthcheckOptions), {
        code: "INVALID_OPTION",
        message,
      });
    });
  }

  test("later changes to the options have no effect", async (t) => {
    const options = { httpEnabled: true, httpPaths: { ready: ["/a"] }, watchInterval: 0 };
    const health = Healthcheck(options);
    options.httpPaths.ready[0] = "/b";
    options.httpEnabled = false;
    const { baseUrl } = await serveHealth(t, health);
    assert.equal((await fetch(`${baseUrl}/a`)).status, 200);
  });

  test("announces what the server makes of itself", async (t) => {
    const health = Healthcheck();
    const ready = nextChange(health.manager, ({ service }) => service === "");
    await serveHealth(t, health);
    assert.deepEqual(await ready, { service: "", status: NOT_SERVING, previous: SERVICE_UNKNOWN });
    assert.equal(health.manager.getStatus(), SERVING);
    assert.equal(health.manager.getStatus("nobody"), SERVICE_UNKNOWN);
    assert.equal(UNKNOWN, 0);
  });
});
