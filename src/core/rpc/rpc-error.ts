import { Code, ConnectError } from "@connectrpc/connect";
import type { Call } from "./call.ts";
import { RpcHeaders } from "./rpc-headers.ts";

/**
 * What the client may learn of something thrown: a `ConnectError` as it is, an abort of the call's own
 * signal as the reason it was aborted with, anything else as `internal` without a word of it.
 */
export function toRpcError(thrown: unknown, call: Call | undefined): ConnectError {
  if (thrown instanceof ConnectError) return thrown;
  if (isAbortError(thrown) && call?.abortReason) return call.abortReason;
  return internalError(thrown);
}

const hiding = new WeakSet<ConnectError>();

/** All that a client gets to know of a failure that is none of its business. Its cause is logged. */
export function internalError(cause: unknown): ConnectError {
  const error = new ConnectError("internal error", Code.Internal, undefined, undefined, cause);
  hiding.add(error);
  return error;
}

/** Whether the error hides its cause, which then belongs into the log. */
export function isHiding(error: ConnectError): boolean {
  return hiding.has(error);
}

/** Its cause is in a log already. */
export function markLogged(error: ConnectError): void {
  hiding.delete(error);
}

export function isAbortError(thrown: unknown): boolean {
  return thrown instanceof Error && thrown.name === "AbortError";
}

const HOP_HEADERS = new Set([
  "accept-encoding",
  "connection",
  "content-encoding",
  "content-length",
  "content-type",
  "date",
  "host",
  "keep-alive",
  "server",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "vary",
]);

/**
 * The metadata of an error without protocol headers. A handler that rethrows the error of a call it
 * made itself would otherwise send that call's framing as its own.
 */
export function errorMetadata(error: ConnectError): RpcHeaders | undefined {
  let metadata: RpcHeaders | undefined;
  for (const [name, value] of error.metadata) {
    if (HOP_HEADERS.has(name) || name.startsWith("grpc-") || name.startsWith("connect-")) continue;
    metadata ??= new RpcHeaders();
    metadata.append(name, value);
  }
  return metadata;
}

/** The trailer of a call with the metadata of the error that ended it. */
export function trailerWithError(
  error: ConnectError | undefined,
  trailer: RpcHeaders | Headers | undefined,
): RpcHeaders | Headers | undefined {
  const metadata = error && errorMetadata(error);
  if (!metadata || !trailer) return metadata ?? trailer;
  const merged = RpcHeaders.from(trailer);
  for (const [name, value] of metadata) merged.append(name, value);
  return merged;
}
