import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { Code, createClient } from "@connectrpc/connect";
import { createServer } from "connectum/core";
import { createTestServer } from "connectum/testing";
import { GreeterService } from "../gen/connectum/mission/v1/mission_pb.js";
import { greeterRoutes } from "./in-process/greeter.ts";
import {
  InventoryService,
  inventoryService,
  ownedServices,
  PricingService,
  pricingService,
} from "./in-process/services.ts";
import { buildClients } from "./in-process/shared/clients.ts";
import { buildServer } from "./in-process/shared/server.ts";
import { endpoint, factoriesOf, localTransport } from "./in-process/signatures.ts";

/** A server of one process that owns these services; the rest is upstream, if there is one. */
function processOf(services: typeof ownedServices, upstreamUrl?: string) {
  ownedServices.splice(0, ownedServices.length, ...services);
  return buildServer({ upstreamUrl });
}

async function startUpstream(t: TestContext, services: typeof ownedServices): Promise<string> {
  return (await createTestServer({ t, services })).baseUrl;
}

describe("the code of the in-process page", () => {
  test("quick start", async (t) => {
    const log = t.mock.method(console, "log", () => {});
    await import("./in-process/quick-start.ts");
    assert.deepEqual(
      log.mock.calls.map((call) => call.arguments),
      [["Hello, world!"]],
    );
  });

  test("auto-routing, to the local service and to the upstream", async (t) => {
    process.env.UPSTREAM_URL = await startUpstream(t, [pricingService]);
    t.after(() => delete process.env.UPSTREAM_URL);
    const { inventory, server } = await import("./in-process/auto-routing.ts");
    assert.equal((await inventory.reserve({})).left, 7);
    assert.equal((await server.client(PricingService).getPrice({})).cents, 450);
  });

  test("the API reference", async () => {
    const server = createServer({ services: [greeterRoutes] });
    const { client, localClient, hasService } = factoriesOf(server);
    assert.equal(hasService.call(server, GreeterService), true);
    assert.equal(hasService.call(server, InventoryService), false);
    const greeters = [
      client.call(server, GreeterService, endpoint),
      localClient.call(server, GreeterService),
      createClient(GreeterService, localTransport(server, { interceptors: [] })),
    ];
    for (const greeter of greeters) {
      const { message } = await (greeter as (typeof greeters)[2]).sayHello({ name: "world" });
      assert.equal(message, "Hello, world!");
    }
    await assert.rejects(server.localClient(InventoryService).reserve({}), {
      code: Code.Unimplemented,
    });
  });

  const topologies: Record<string, [owned: typeof ownedServices, upstream: typeof ownedServices]> =
    {
      monolith: [[inventoryService, pricingService], []],
      distributed: [[], [inventoryService, pricingService]],
      "hybrid migration": [[inventoryService], [pricingService]],
    };
  for (const [name, [owned, upstream]] of Object.entries(topologies)) {
    test(`polyglot deployment: ${name}`, async (t) => {
      const url = upstream.length > 0 ? await startUpstream(t, upstream) : undefined;
      const { inventory, pricing } = buildClients(processOf(owned, url));
      assert.equal((await inventory.reserve({})).left, 7);
      assert.equal((await pricing.getPrice({})).cents, 450);
    });
  }

  test("polyglot deployment: a wrong topology fails when the clients are built", () => {
    assert.throws(() => buildClients(processOf([inventoryService])), {
      name: "CatalogConfigError",
      message: /shop\.pricing\.v1\.PricingService/,
    });
    const server = createServer({ services: [inventoryService], remoteResolver: () => null });
    assert.throws(() => buildClients(server), { code: Code.Unavailable });
  });
});
