import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { OrderService } from "./gen/shop/v1/shop_pb.js";

/** Customers who order, follow their order, and sometimes ask for more than there is. */
export async function main(baseUrl: string, rounds: number, pauseMs = 0): Promise<number> {
  const customer = createClient(OrderService, createGrpcTransport({ baseUrl }));
  let calls = 0;
  for (let round = 0; round < rounds; round++) {
    const copies = round % 10 === 9 ? 2_000_000 : 1;
    const placed = await customer.placeOrder({ book: "SICP", copies }).catch(() => undefined);
    calls += 1;
    if (placed) {
      for await (const _ of customer.followOrder({ orderId: placed.orderId }));
      calls += 1;
    }
    if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
  return calls;
}
