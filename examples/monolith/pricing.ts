import { Code, ConnectError, type ServiceImpl } from "@connectrpc/connect";
import type { PricingService } from "./gen/shop/pricing/v1/pricing_pb.js";

const prices = new Map([
  ["tea", 450],
  ["teapot", 3900],
]);

export const pricing: ServiceImpl<typeof PricingService> = {
  getPrice({ sku }) {
    const cents = prices.get(sku);
    if (cents === undefined) throw new ConnectError(`no price for ${sku}`, Code.NotFound);
    return { cents, pid: process.pid };
  },
};
