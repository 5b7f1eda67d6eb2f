import { answerHttp } from "./http-fallback.ts";
import type { LifecycleEvents } from "./lifecycle-events.ts";
import type { RequestHandler } from "./listener.ts";
import type { ProtocolRegistration } from "./protocol.ts";
import { Router } from "./router.ts";
import type { Method } from "./rpc/method.ts";

/** Answers RPCs, then what protocols claim, then 404. */
export function createRequestHandler(
  methods: Iterable<Method>,
  protocols: readonly ProtocolRegistration[],
  events: LifecycleEvents,
): RequestHandler {
  const router = new Router(methods);
  const handlers = protocols.flatMap(({ httpHandler }) => (httpHandler ? [httpHandler] : []));
  return {
    rpcAt: (target) => router.endpointAt(target),
    serveHttp: (request, response) => void answerHttp(handlers, request, response, events),
  };
}
