import type { AddressInfo } from "node:net";
import { pathToFileURL } from "node:url";
import {
  createServer,
  defineLazyService,
  defineService,
  perServiceEnvResolver,
  type Server,
} from "connectum/core";
import { ConnectumEnvSchema, type Environment, serverOptionsFromEnv } from "connectum/core/config";
import { z } from "zod";
import { buildClients } from "./clients.ts";
import { InventoryService } from "./gen/shop/inventory/v1/inventory_pb.js";
import { OrderService } from "./gen/shop/orders/v1/orders_pb.js";
import { PricingService } from "./gen/shop/pricing/v1/pricing_pb.js";
import { inventory } from "./inventory.ts";
import { createOrders } from "./orders.ts";
import { pricing } from "./pricing.ts";

/** `SERVICES`: the services of this process, such as `shop.orders.*,shop.pricing.*`. Unset: all. */
const EnvSchema = ConnectumEnvSchema.extend({ SERVICES: z.string().optional() });

/** One program for every topology; the environment says which services are here and where the rest is. */
export function buildServer(env: Environment = process.env): Server {
  const config = EnvSchema.parse(env);
  const server: Server = createServer({
    ...serverOptionsFromEnv(config),
    services: [
      defineService(InventoryService, inventory),
      defineService(PricingService, pricing),
      defineLazyService(OrderService, async () => createOrders(buildClients(server))),
    ],
    enabledServices: config.SERVICES?.split(","),
    remoteResolver: perServiceEnvResolver(
      { [InventoryService.typeName]: "INVENTORY_URL", [PricingService.typeName]: "PRICING_URL" },
      { env },
    ),
  });
  // A process that could not serve an order fails here, and not at the first order.
  if (server.hasService(OrderService)) buildClients(server);
  return server;
}

export async function main(env?: Environment): Promise<Server> {
  const server = buildServer(env);
  await server.start();
  return server;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const server = await main();
  console.log(`shop listens on port ${(server.address as AddressInfo).port}`);
}
