import { ConnectError } from "@connectrpc/connect";
import { serializeDetails } from "../doors/error-details.ts";
import type { Call } from "../rpc/call.ts";
import { trailerWithError } from "../rpc/rpc-error.ts";
import { RpcHeaders } from "../rpc/rpc-headers.ts";

/** The error as a client on the network would get it: its own object, without the cause. */
export function toClientError(error: ConnectError, call: Call): ConnectError {
  const metadata = RpcHeaders.from(call.touchedResponseHeader);
  const trailer = trailerWithError(error, call.touchedResponseTrailer);
  for (const [name, value] of trailer ?? []) metadata.append(name, value);
  const copy = new ConnectError(error.rawMessage, error.code, metadata);
  copy.details = serializeDetails(error).map(({ type, value }) => ({ type, value }));
  return copy;
}
