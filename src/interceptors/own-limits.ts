import { Code, ConnectError } from "@connectrpc/connect";
import { type AnyRequest, callOfRequest } from "../core/internal.ts";

/** Errors of limits that were set on this side of the call. */
const ownLimits = new WeakSet<ConnectError>();

export function markOwnLimit(error: ConnectError): ConnectError {
  ownLimits.add(error);
  return error;
}

/**
 * Whether it was not the caller who set the deadline that has passed: impatient callers say nothing
 * about how well a service does.
 */
export function isOwnLimit(thrown: unknown, request: AnyRequest): boolean {
  if (thrown instanceof ConnectError) {
    if (thrown.code !== Code.DeadlineExceeded) return false;
    if (ownLimits.has(thrown)) return true;
  }
  const call = callOfRequest(request);
  if (call) return call.deadline === undefined || call.isServerDeadline;
  return !request.signal.aborted;
}
