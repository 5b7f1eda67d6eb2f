import assert from "node:assert/strict";
import { createServer as createHttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, type TestContext, test } from "node:test";
import { createRouterTransport } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { createServer, type ProtocolRegistration } from "connectum/core";
import {
  Healthcheck,
  type HealthcheckManager,
  type HealthcheckOptions,
  type HealthcheckRegistration,
  ServingStatus,
} from "connectum/healthcheck";
import { CatalogService } from "../gen/connectum/test/v1/catalog_pb.js";
import {
  catalog,
  catalogName,
  drainBySignal,
  type HealthClient,
  healthClient,
  signalServer,
  Watch,
} from "./serve-health.ts";

const { UNKNOWN, SERVING, NOT_SERVING } = ServingStatus;

interface Row {
  readonly check: number;
  readonly checkNamed: number;
  readonly watch: number | undefined;
  readonly list: Record<string, number>;
  readonly livez: number;
  readonly readyz: number;
  readonly healthz: number;
}

type State = "created" | "starting" | "ready" | "draining" | "stopped";

const row = (overall: number, named: number, readyz: number, healthz: number): Row => ({
  check: overall,
  checkNamed: named,
  watch: overall,
  list: { "": overall, [catalogName]: named },
  livez: 200,
  readyz,
  healthz,
});
const unset = row(NOT_SERVING, UNKNOWN, 503, 503);
const serving = row(SERVING, SERVING, 200, 200);
const notServing = row(NOT_SERVING, NOT_SERVING, 503, 503);
const drainedServing = row(NOT_SERVING, NOT_SERVING, 503, 200);

interface Life {
  readonly options: HealthcheckOptions;
  /** Runs before the server starts. */
  readonly before?: (manager: HealthcheckManager) => void;
  /** Runs when the drain has begun. */
  readonly inDrain?: (manager: HealthcheckManager) => void;
  readonly table: Record<State, Row>;
}

const lives: Record<string, Life> = {
  automatic: {
    options: {},
    table: {
      created: unset,
      starting: unset,
      ready: serving,
      draining: drainedServing,
      stopped: drainedServing,
    },
  },
  "automatic, NOT_SERVING set by the user before start": {
    options: {},
    before: (manager) => manager.update(NOT_SERVING),
    table: {
      created: notServing,
      starting: notServing,
      ready: notServing,
      draining: notServing,
      stopped: notServing,
    },
  },
  "automatic, set during the drain: stored, not shown": {
    options: {},
    before: (manager) => manager.update(NOT_SERVING),
    inDrain: (manager) => manager.update(SERVING),
    table: {
      created: notServing,
      starting: notServing,
      ready: notServing,
      draining: drainedServing,
      stopped: drainedServing,
    },
  },
  "manual, nothing set": {
    options: { automatic: false },
    table: {
      created: unset,
      starting: unset,
      ready: unset,
      draining: row(NOT_SERVING, NOT_SERVING, 503, 503),
      stopped: row(NOT_SERVING, NOT_SERVING, 503, 503),
    },
  },
  "manual, SERVING set before start": {
    options: { automatic: false },
    before: (manager) => manager.update(SERVING),
    table: {
      created: serving,
      starting: serving,
      ready: serving,
      draining: drainedServing,
      stopped: drainedServing,
    },
  },
};

describe("health over the whole life of a server", () => {
  for (const [name, life] of Object.entries(lives)) {
    test(name, async (t) => {
      const health = Healthcheck({ httpEnabled: true, ...life.options });
      const doors = await openSideDoors(t, health);
      const rows: Partial<Record<State, Row>> = {};
      const server = createServer({
        services: [catalog],
        protocols: [doors.registration],
        port: 0,
        host: "127.0.0.1",
        eventBus: {
          async start() {
            assert.equal(server.state, "starting");
            rows.starting = await observe(doors.client(), doors.baseUrl);
          },
          stop() {},
        },
        ...drainBySignal,
      });
      const stopped = new Promise<void>((resolve) => server.on("stop", () => resolve()));
      life.before?.(health.manager);
      assert.ok(server.hasService(CatalogService));
      rows.created = await observe(doors.client(), doors.baseUrl);

      await server.start();
      const baseUrl = `http://127.0.0.1:${(server.address as AddressInfo).port}`;
      const network = healthClient(createGrpcTransport({ baseUrl }));
      rows.ready = await observe(network, baseUrl);
      assert.deepEqual(await observe(doors.client(), doors.baseUrl), rows.ready);

      signalServer();
      assert.equal(server.state, "stopping");
      life.inDrain?.(health.manager);
      rows.draining = await observe(network, baseUrl);
      assert.deepEqual(await observe(doors.client(), doors.baseUrl), rows.draining);

      signalServer();
      await stopped;
      rows.stopped = await observe(doors.client(), doors.baseUrl);
      const late = new Watch(doors.client());
      assert.deepEqual([await late.next(), await late.next()], [NOT_SERVING, undefined]);
      assert.deepEqual(rows, life.table);
    });
  }
});

interface SideDoors {
  readonly registration: ProtocolRegistration;
  /** In memory, once routes are frozen. */
  client(): HealthClient;
  readonly baseUrl: string;
}

/** Ways to what a server would answer while it does not listen. */
async function openSideDoors(t: TestContext, health: HealthcheckRegistration): Promise<SideDoors> {
  let client: HealthClient | undefined;
  const http = createHttpServer((request, response) => {
    response.setHeader("connection", "close");
    health.httpHandler?.(request, response);
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  t.after(() => http.close());
  return {
    baseUrl: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    client() {
      assert.ok(client, "routes are frozen");
      return client;
    },
    registration: {
      ...health,
      register(router, context) {
        health.register(
          {
            ...router,
            service(service, implementation, options) {
              client = healthClient(
                createRouterTransport((memory) => memory.service(service, implementation)),
              );
              router.service(service, implementation, options);
              return this;
            },
          },
          context,
        );
      },
    },
  };
}

async function observe(client: HealthClient, baseUrl: string): Promise<Row> {
  const watch = new Watch(client);
  const { statuses } = await client.list({});
  const list = Object.entries(statuses).map(([service, { status }]) => [service, status]);
  const get = async (path: string) => (await fetch(baseUrl + path)).status;
  const observed: Row = {
    check: (await client.check({})).status,
    checkNamed: (await client.check({ service: catalogName })).status,
    watch: await watch.next(),
    list: Object.fromEntries(list),
    livez: await get("/livez"),
    readyz: await get("/readyz"),
    healthz: await get("/healthz"),
  };
  watch.leave();
  return observed;
}
