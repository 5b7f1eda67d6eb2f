import * as http from "node:http";
import type { RequestHandler } from "../request-handler.ts";
import type { ResolvedOptions } from "../resolve-options.ts";
import type { Http1Connections } from "./http1-connections.ts";
import { Http1Exchange } from "./http1-exchange.ts";
import type { StallClock } from "./stall-clock.ts";

/** Longer than the idle time of common load balancers, so that they close first and never race us. */
const KEEP_ALIVE_MS = 75_000;

/** Node looks for slow headers this often per timeout, so that 408 comes within 1.25 times it. */
const LOOKS = 4;

/** Serves sockets it is given and never listens. */
export function createHttp1Server(
  { maxConnectionIdleMs = KEEP_ALIVE_MS, maxHeaderBytes, headersTimeoutMs }: ResolvedOptions,
  handler: RequestHandler,
  clock: StallClock,
  connections: Http1Connections,
): http.Server {
  const server = http.createServer({
    // A stream of requests may last as long as it likes.
    requestTimeout: 0,
    headersTimeout: headersTimeoutMs,
    connectionsCheckingInterval: Math.ceil(headersTimeoutMs / LOOKS),
    maxHeaderSize: maxHeaderBytes,
    keepAliveTimeout: maxConnectionIdleMs,
  });
  server.on("request", (request, response) => {
    // Newer Node does the same by itself.
    if (request.httpVersion === "1.1" && request.headers.host === undefined) {
      response.writeHead(400, { connection: "close" }).end();
      return;
    }
    const isClosing = connections.begin(request, response);
    const rpc = handler.rpcAt(request.url ?? "", request.method, request.headers);
    if (rpc) {
      rpc.serve(new Http1Exchange(request, response, isClosing, clock));
      return;
    }
    if (isClosing()) response.setHeader("Connection", "close");
    handler.serveHttp(request, response);
  });
  return server;
}
