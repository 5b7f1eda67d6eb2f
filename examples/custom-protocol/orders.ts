import { Code, ConnectError, type ServiceImpl } from "@connectrpc/connect";
import type { OrderService } from "./gen/orders/v1/orders_pb.js";

export function createOrders(): ServiceImpl<typeof OrderService> {
  const paid = new Map([
    ["1001", false],
    ["1002", false],
  ]);
  const check = (orderId: string) => {
    if (!paid.has(orderId)) throw new ConnectError(`no order ${orderId}`, Code.NotFound);
  };
  return {
    getOrder({ orderId }) {
      check(orderId);
      return { orderId, paid: paid.get(orderId) };
    },
    markPaid({ orderId }) {
      check(orderId);
      paid.set(orderId, true);
      return {};
    },
  };
}
