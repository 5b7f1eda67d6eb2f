import type { LifecycleEvents } from "./lifecycle-events.ts";
import type { HttpHandler, NodeRequest, NodeResponse } from "./protocol.ts";

/** Asks the handlers in order; nobody claims the request: 404, one throws: 500 without text. */
export async function answerHttp(
  handlers: readonly HttpHandler[],
  request: NodeRequest,
  response: NodeResponse,
  events: LifecycleEvents,
): Promise<void> {
  try {
    for (const handler of handlers) {
      if (await handler(request, response)) return;
    }
    response.writeHead(404);
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
