import type { ConnectRouter } from "@connectrpc/connect";
import { defineService, type ServiceDefinition } from "connectum/core";
import { InventoryService } from "../../../examples/monolith/gen/shop/inventory/v1/inventory_pb.js";
import { PricingService } from "../../../examples/monolith/gen/shop/pricing/v1/pricing_pb.js";
import { MyService } from "../../gen/connectum/mission/v1/mission_pb.js";

export { InventoryService, MyService, PricingService };

export const inventoryService = defineService(InventoryService, { reserve: () => ({ left: 7 }) });
export const pricingService = defineService(PricingService, { getPrice: () => ({ cents: 450 }) });

/** What the process owns; a test that plays several processes sets it for each. */
export const ownedServices: ServiceDefinition[] = [];

let count = 0;

export function routes(router: ConnectRouter): void {
  router.service(MyService, {
    doWork: () => ({ count: ++count }),
  });
}
