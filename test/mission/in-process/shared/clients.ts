import type { Server } from "connectum/core";
import { InventoryService, PricingService } from "../services.js";

// shared/clients.ts — identical in every topology
export function buildClients(server: Server) {
  return {
    inventory: server.client(InventoryService),
    pricing: server.client(PricingService),
  };
}
