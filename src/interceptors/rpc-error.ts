import { Code, ConnectError } from "@connectrpc/connect";
import { type AnyRequest, callOfRequest, isAbortError, toRpcError } from "../core/internal.ts";
import { isSanitizableError } from "./sanitizable-error.ts";

/** What something thrown means to the caller, before anybody maps or sanitises it. */
export function codeOf(thrown: unknown, request: AnyRequest): Code {
  if (isSanitizableError(thrown)) return sanitizedCode(thrown);
  if (thrown instanceof ConnectError) return thrown.code;
  return isAbortError(thrown) ? (abortReason(request)?.code ?? Code.Internal) : Code.Internal;
}

/** The code such an error asks for; a foreign number in its place is no RPC code. */
export function sanitizedCode({ code }: { readonly code?: unknown }): Code {
  const isCode = typeof code === "number" && Code[code] !== undefined;
  return isCode ? code : Code.Internal;
}

/** An unsanitised error as the client gets it: without a word unless it is a `ConnectError`. */
export function publicError(thrown: unknown, request: AnyRequest): ConnectError {
  if (isAbortError(thrown)) return abortReason(request) ?? toRpcError(thrown, undefined);
  return toRpcError(thrown, undefined);
}

/** Why the call ended early, if it did. */
function abortReason(request: AnyRequest): ConnectError | undefined {
  const call = callOfRequest(request);
  if (call?.abortReason) return call.abortReason;
  const { aborted, reason } = request.signal;
  return aborted ? ConnectError.from(reason, Code.Canceled) : undefined;
}
