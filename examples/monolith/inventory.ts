import { Code, ConnectError, type ServiceImpl } from "@connectrpc/connect";
import type { InventoryService } from "./gen/shop/inventory/v1/inventory_pb.js";

const stock = new Map([
  ["tea", 100],
  ["teapot", 3],
]);

export const inventory: ServiceImpl<typeof InventoryService> = {
  reserve({ sku, quantity }) {
    const left = (stock.get(sku) ?? 0) - quantity;
    if (left < 0) throw new ConnectError(`not enough ${sku} in stock`, Code.ResourceExhausted);
    stock.set(sku, left);
    return { left, pid: process.pid };
  },
};
