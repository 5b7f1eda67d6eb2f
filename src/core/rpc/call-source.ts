import { Code, ConnectError, type ContextValues } from "@connectrpc/connect";
import type { Peer } from "../context-keys.ts";
import type { HeaderFields } from "./rpc-headers.ts";

/** Where a call comes from: an HTTP request, or a caller in this process. */
export interface CallSource {
  readonly headers: HeaderFields;
  readonly requestMethod: string;
  readonly url: string;
  readonly transport: "http" | "in-process";
  readonly peer: Peer;
  /** Context values of the outgoing call, when the caller is in this process. */
  readonly callerValues?: ContextValues;
  /** Why the caller left, once it has. */
  readonly closeReason: ConnectError | undefined;
  /** The listener hears once when the caller leaves before its answer is complete. */
  onLeave(listener: (reason: ConnectError) => void): void;
}

export type ProtocolName = "connect" | "grpc" | "grpc-web";

/** What a handler learns of a caller that is gone, whatever the caller's own reason. */
export function clientLeft(): ConnectError {
  return new ConnectError("the client left", Code.Canceled);
}
