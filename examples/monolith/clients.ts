import type { Server } from "connectum/core";
import { InventoryService } from "./gen/shop/inventory/v1/inventory_pb.js";
import { PricingService } from "./gen/shop/pricing/v1/pricing_pb.js";

/** The same in every topology: in process where the server has the service, remote where it has not. */
export function buildClients(server: Server) {
  return {
    inventory: server.client(InventoryService),
    pricing: server.client(PricingService),
  };
}

export type Clients = ReturnType<typeof buildClients>;
