import type { Transport } from "@connectrpc/connect";
import { show } from "../check-options.ts";
import { ConnectumError } from "../errors.ts";

/** Throws INVALID_OPTION unless `value` has the two methods of a transport. */
export function checkTransportObject(where: string, value: unknown): asserts value is Transport {
  const { unary, stream } = (value ?? {}) as Partial<Transport>;
  if (typeof unary === "function" && typeof stream === "function") return;
  throw new ConnectumError(
    "INVALID_OPTION",
    `${where} needs a transport, for example of createGrpcTransport(), got ${show(value)}`,
  );
}
