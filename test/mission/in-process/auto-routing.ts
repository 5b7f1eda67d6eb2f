import { createGrpcTransport } from "@connectrpc/connect-node";
import { createServer, singleTransportResolver } from "connectum/core";
import { InventoryService, inventoryService } from "./services.js";

const server = createServer({
  services: [inventoryService],
  // Services not mounted locally are reached through this resolver.
  remoteResolver: singleTransportResolver(
    // @ts-expect-error: the types of connect-node know no httpVersion here any more
    // biome-ignore lint/style/noNonNullAssertion: as the page has it
    createGrpcTransport({ baseUrl: process.env.UPSTREAM_URL!, httpVersion: "2" }),
  ),
});

// Local if registered on `server`, remote via the resolver otherwise.
const inventory = server.client(InventoryService);

export { inventory, server };
