import { type Code, ConnectError } from "@connectrpc/connect";
import { RetryInfoSchema } from "./gen/google/rpc/error_details_pb.js";

/** An error that says when to come back. */
export function errorWithRetryInfo(message: string, code: Code, delayMs: number): ConnectError {
  const whole = Math.max(0, Math.ceil(delayMs));
  const retryDelay = {
    seconds: BigInt(Math.floor(whole / 1000)),
    nanos: (whole % 1000) * 1_000_000,
  };
  return new ConnectError(message, code, undefined, [
    { desc: RetryInfoSchema, value: { retryDelay } },
  ]);
}

/** Milliseconds that a `google.rpc.RetryInfo` detail asks to wait. */
export function retryDelayOf(error: ConnectError): number | undefined {
  const [info] = error.findDetails(RetryInfoSchema);
  if (!info?.retryDelay) return undefined;
  const { seconds, nanos } = info.retryDelay;
  return Number(seconds) * 1000 + nanos / 1_000_000;
}
