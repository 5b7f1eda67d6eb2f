import type { ServiceImpl } from "@connectrpc/connect";
import { callOptions } from "connectum/core";
import type { Clients } from "./clients.ts";
import type { OrderService } from "./gen/shop/orders/v1/orders_pb.js";

/** Does not know, and need not know, which of its clients cross a network. */
export function createOrders({ inventory, pricing }: Clients): ServiceImpl<typeof OrderService> {
  return {
    async placeOrder({ sku, quantity }, context) {
      // Deadline and cancellation of the order hold for the calls it makes.
      const options = callOptions(context, { headers: ["authorization"] });
      const price = await pricing.getPrice({ sku }, options);
      const reserved = await inventory.reserve({ sku, quantity }, options);
      return {
        totalCents: price.cents * quantity,
        pids: [process.pid, reserved.pid, price.pid],
      };
    },
  };
}
