import type { DescMethod } from "@bufbuild/protobuf";
import {
  type ContextValues,
  createContextValues,
  createHandlerContext,
  type HandlerContext,
} from "@connectrpc/connect";
import { checkKeys, checkMs, deadlineExceeded } from "../core/internal.ts";

export interface MockContextOptions {
  /** Header of the request. Default none. */
  readonly requestHeader?: HeadersInit;
  /** Default empty; `peerKey`, `authContextKey` and keys of your own may be set. */
  readonly values?: ContextValues;
  /** Aborts the context's signal. Default never. */
  readonly signal?: AbortSignal;
  /** The call's deadline from now, in milliseconds. Default none. */
  readonly timeoutMs?: number;
  /** Default `grpc`. */
  readonly protocolName?: string;
  /** Default `POST`. */
  readonly requestMethod?: string;
}

/**
 * A `HandlerContext` for calling one handler alone, without a server: `handler(request,
 * createMockContext(Service.method.sayHello))`. What the handler sets can be read from
 * `responseHeader` and `responseTrailer`.
 */
export function createMockContext(
  method: DescMethod,
  options: MockContextOptions = {},
): HandlerContext {
  checkKeys("createMockContext()", options, [
    "requestHeader",
    "values",
    "signal",
    "timeoutMs",
    "protocolName",
    "requestMethod",
  ] satisfies ReadonlyArray<keyof MockContextOptions>);
  const {
    requestHeader,
    values = createContextValues(),
    signal,
    timeoutMs,
    protocolName = "grpc",
    requestMethod = "POST",
  } = options;
  if (timeoutMs !== undefined) checkMs("timeoutMs", timeoutMs);
  const abort = new AbortController();
  const follow = () => abort.abort(signal?.reason);
  if (signal?.aborted) follow();
  else signal?.addEventListener("abort", follow, { once: true });
  const context = createHandlerContext({
    service: method.parent,
    method,
    protocolName,
    requestMethod,
    url: `https://in-process/${method.parent.typeName}/${method.name}`,
    requestHeader,
    contextValues: values,
    requestSignal: abort.signal,
  });
  if (timeoutMs === undefined) return context;
  const deadline = performance.now() + timeoutMs;
  // A context that a test forgets must not keep its process alive.
  setTimeout(() => abort.abort(deadlineExceeded()), timeoutMs).unref?.();
  return Object.assign(context, { timeoutMs: () => deadline - performance.now() });
}
