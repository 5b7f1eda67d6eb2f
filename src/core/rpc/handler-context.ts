import type { HandlerContext, StreamRequest, UnaryRequest } from "@connectrpc/connect";
import type { Call } from "./call.ts";
import { isOriginal } from "./call-request.ts";
import { RpcHeaders } from "./rpc-headers.ts";

/**
 * The context a handler gets: the call itself, unless an interceptor has put something else into the
 * request it passed on. Then that wins, and the rest still comes from the call.
 */
export function handlerContext(
  request: UnaryRequest | StreamRequest,
  call: Call | undefined,
): HandlerContext {
  if (!call) return detachedContext(request);
  const isSame =
    request.header === call.requestHeader &&
    request.contextValues === call.values &&
    (isOriginal(request) || isLazySignal(request) || request.signal === call.touchedSignal);
  if (isSame) return call;
  return {
    method: request.method,
    service: request.service,
    requestMethod: request.requestMethod,
    url: request.url,
    requestHeader: request.header,
    values: request.contextValues,
    get signal() {
      return request.signal;
    },
    protocolName: call.protocolName,
    timeoutMs: call.timeoutMs,
    responseHeader: call.responseHeader,
    responseTrailer: call.responseTrailer,
  };
}

/** Whether reading the signal of the request would make it. */
function isLazySignal(request: object): boolean {
  return Object.getOwnPropertyDescriptor(request, "signal")?.get !== undefined;
}

/** For a request an interceptor has built from nothing. */
function detachedContext(request: UnaryRequest | StreamRequest): HandlerContext {
  return {
    method: request.method,
    service: request.service,
    requestMethod: request.requestMethod,
    url: request.url,
    requestHeader: request.header,
    values: request.contextValues,
    signal: request.signal,
    protocolName: "connect",
    timeoutMs: () => undefined,
    responseHeader: new RpcHeaders(),
    responseTrailer: new RpcHeaders(),
  };
}
