import type { CallOptions, HandlerContext } from "@connectrpc/connect";
import { checkMs } from "../check-options.ts";

export interface OutgoingCallOptions {
  /** Names of request headers to pass on. Nothing else is. Default none. */
  readonly headers?: readonly string[];
  /** Longest the call may take, in milliseconds; the time left of the inbound call wins if shorter. */
  readonly timeoutMs?: number;
}

/**
 * Options of a call made inside a handler, as part of the handler's own call: it ends when that is
 * cancelled or over, and has no more time than is left of it.
 *
 * @example
 * const { price } = await pricing.getPrice({ sku }, callOptions(context));
 */
export function callOptions(
  context: Pick<HandlerContext, "signal" | "timeoutMs" | "requestHeader">,
  options: OutgoingCallOptions = {},
): Required<Pick<CallOptions, "signal">> & Pick<CallOptions, "timeoutMs" | "headers"> {
  const { headers: names = [], timeoutMs: limit } = options;
  if (limit !== undefined) checkMs("timeoutMs", limit, 1);
  const headers: Array<[string, string]> = [];
  for (const name of names) {
    const value = context.requestHeader.get(name);
    if (value !== null) headers.push([name, value]);
  }
  return { signal: context.signal, timeoutMs: timeLeft(context.timeoutMs(), limit), headers };
}

/** In whole milliseconds, as gRPC sends them; never 0, which clients take for no deadline at all. */
function timeLeft(inbound: number | undefined, limit: number | undefined): number | undefined {
  if (inbound === undefined) return limit;
  return Math.min(Math.max(1, Math.floor(inbound)), limit ?? Number.POSITIVE_INFINITY);
}
