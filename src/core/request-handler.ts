import type { IncomingHttpHeaders } from "node:http";
import type { Exchange } from "./http/exchange.ts";
import { answerHttp } from "./http-fallback.ts";
import type { LifecycleEvents } from "./lifecycle-events.ts";
import type { NodeRequest, NodeResponse } from "./protocol.ts";
import type { ResolvedOptions } from "./resolve-options.ts";
import { Router } from "./router.ts";
import type { Method } from "./rpc/method.ts";

/** What the listener hands requests to. */
export interface RequestHandler {
  /** Whether a request is for an RPC, or means to be. */
  claims(target: string, requestMethod: string | undefined, headers: IncomingHttpHeaders): boolean;
  serve(exchange: Exchange): void;
  /** Answers everything else. */
  serveHttp(request: NodeRequest, response: NodeResponse): void;
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
    claims: (target, requestMethod, headers) => router.claims(target, requestMethod, headers),
    serve(exchange) {
      if (cors && exchange.headers.origin !== undefined) {
        const preflight = cors.preflightFields(exchange.requestMethod, exchange.headers);
        if (preflight) {
          exchange.respond(204, preflight);
          return;
        }
        exchange.commonFields = cors.responseFields(exchange.headers);
      }
      router.serve(exchange);
    },
    serveHttp: (request, response) => void answerHttp(handlers, request, response, events, cors),
  };
}
