import { pathToFileURL } from "node:url";
import { createClient, type Transport } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { OrderService } from "./gen/shop/orders/v1/orders_pb.js";

/** Orders two teapots. */
export function main(transport: Transport) {
  const orders = createClient(OrderService, transport);
  return orders.placeOrder({ sku: "teapot", quantity: 2 }, { timeoutMs: 5_000 });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const baseUrl = process.argv[2] ?? "http://127.0.0.1:5000";
  const { totalCents, pids } = await main(createGrpcTransport({ baseUrl }));
  console.log(`${totalCents} cents; orders, inventory, pricing ran in processes ${pids}`);
}
