import { setTimeout as delay } from "node:timers/promises";
import { type Client, Code, ConnectError, type ServiceImpl } from "@connectrpc/connect";
import { getLogger, traceAll } from "connectum/otel";
import type { OrderService, PaymentService, StockService } from "./gen/shop/v1/shop_pb.js";

const log = getLogger("shop");

/** Stands for a database; every method becomes a span. */
class Shelf {
  readonly #left = new Map([["SICP", 1_000_000]]);

  async take(book: string, copies: number): Promise<number> {
    await delay(3);
    const left = (this.#left.get(book) ?? 0) - copies;
    if (left < 0) throw new ConnectError(`${book} is sold out`, Code.FailedPrecondition);
    this.#left.set(book, left);
    return left;
  }
}

const shelf = traceAll(new Shelf());

export const stock: ServiceImpl<typeof StockService> = {
  async reserve({ book, copies }) {
    return { left: await shelf.take(book, copies) };
  },
};

export const payments: ServiceImpl<typeof PaymentService> = {
  async charge({ orderId, cents }) {
    await delay(5);
    log.info({ orderId, cents }, "charged");
    return { receipt: `receipt of ${orderId}` };
  },
};

export interface Backends {
  readonly stock: Client<typeof StockService>;
  readonly payments: Client<typeof PaymentService>;
}

/** The clients are asked for when they are needed, when every route is frozen. */
export function orders(backends: () => Backends): ServiceImpl<typeof OrderService> {
  let placed = 0;
  return {
    async placeOrder({ book, copies }) {
      const orderId = `order-${++placed}`;
      const { stock, payments } = backends();
      await stock.reserve({ book, copies });
      await payments.charge({ orderId, cents: copies * 4_500 });
      log.info({ orderId, book }, "order placed");
      return { orderId };
    },
    async *followOrder() {
      for (const step of ["packed", "sent", "delivered"]) {
        await delay(4);
        yield { step };
      }
    },
  };
}
