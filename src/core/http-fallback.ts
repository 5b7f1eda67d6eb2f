import type { Cors } from "./http/cors.ts";
import type { LifecycleEvents } from "./lifecycle-events.ts";
import type { HttpHandler, NodeRequest, NodeResponse } from "./protocol.ts";

/**
 * Asks the handlers in order; nobody claims the request: 404, one throws: 500 without text. With CORS a
 * page may read the 404, so that its developer sees a wrong path and no riddle.
 */
export async function answerHttp(
  handlers: readonly HttpHandler[],
  request: NodeRequest,
  response: NodeResponse,
  events: LifecycleEvents,
  cors: Cors | undefined,
): Promise<void> {
  try {
    for (const handler of handlers) {
      if (await handler(request, response)) return;
    }
    const preflight = cors?.preflightFields(request.method ?? "", request.headers);
    response.writeHead(preflight ? 204 : 404, preflight ?? cors?.responseFields(request.headers));
    response.end();
  } catch (error) {
    events.report(error, `HTTP handler for ${request.method} ${request.url}`);
    if (response.headersSent) {
      response.destroy();
    } else {
      response.writeHead(500);
      response.end();
    }
  }
}
