import type { IncomingHttpHeaders } from "node:http";
import type { Cors } from "./http/cors.ts";
import type { Exchange } from "./http/exchange.ts";
import { answerHttp } from "./http-fallback.ts";
import type { LifecycleEvents } from "./lifecycle-events.ts";
import type { NodeRequest, NodeResponse } from "./protocol.ts";
import type { ResolvedOptions } from "./resolve-options.ts";
import { Router } from "./router.ts";
import type { Method } from "./rpc/method.ts";

/** What the listener hands requests to. */
export interface RequestHandler {
  /** Who answers a request that is for an RPC, or means to be. */
  rpcAt(
    target: string,
    requestMethod: string | undefined,
    headers: IncomingHttpHeaders,
  ): RpcEndpoint | undefined;
  /** Answers everything else. */
  serveHttp(request: NodeRequest, response: NodeResponse): void;
}

export interface RpcEndpoint {
  serve(exchange: Exchange): void;
}

/** Answers RPCs, then what protocols claim, then 404. */
export function createRequestHandler(
  methods: Iterable<Method>,
  options: ResolvedOptions,
  events: LifecycleEvents,
): RequestHandler {
  const { cors } = options;
  const router = new Router(methods, options);
  const handlers = options.protocols.flatMap(({ httpHandler }) =>
    httpHandler ? [httpHandler] : [],
  );
  return {
    rpcAt(target, requestMethod, headers) {
      const endpoint = router.endpointAt(target, requestMethod, headers);
      if (!endpoint || !cors || headers.origin === undefined) return endpoint;
      return { serve: (exchange) => serveCrossOrigin(exchange, endpoint, cors) };
    },
    serveHttp: (request, response) => void answerHttp(handlers, request, response, events, cors),
  };
}

/** Answers a browser's question before a call, or lets it read the answer of the call. */
function serveCrossOrigin(exchange: Exchange, endpoint: RpcEndpoint, cors: Cors): void {
  const preflight = cors.preflightFields(exchange.requestMethod, exchange.headers);
  if (preflight) {
    exchange.respond(204, preflight);
    return;
  }
  exchange.commonFields = cors.responseFields(exchange.headers);
  endpoint.serve(exchange);
}
