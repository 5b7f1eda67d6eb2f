import * as http2 from "node:http2";
import { TLSSocket } from "node:tls";
import type { RequestHandler } from "../request-handler.ts";
import type { ResolvedOptions } from "../resolve-options.ts";
import { closeWhenSent, Http2Exchange } from "./http2-exchange.ts";
import { socketOf } from "./peer.ts";
import type { StallClock } from "./stall-clock.ts";

/**
 * Node counts what it could not send to a client that left as memory of the session, for ever, and
 * refuses every new stream of a session with more than this. Its default of 10 MB is used up by a few
 * dozen calls left while their answers were written; what is really held is limited per stream.
 */
const MAX_SESSION_MEMORY_MB = 2 ** 20;

/** Serves sockets it is given and never listens. */
export function createHttp2Server(
  { http2Options, maxConcurrentStreams, maxHeaderBytes }: ResolvedOptions,
  handler: RequestHandler,
  clock: StallClock,
): http2.Http2Server {
  const server = http2.createServer({
    maxSessionMemory: MAX_SESSION_MEMORY_MB,
    ...http2Options,
    settings: {
      maxConcurrentStreams,
      maxHeaderListSize: maxHeaderBytes,
      ...http2Options.settings,
    },
  });
  const onStream = (
    stream: http2.ServerHttp2Stream,
    headers: http2.IncomingHttpHeaders,
    _flags: number,
    rawHeaders: string[],
  ) => {
    const rpc = handler.rpcAt(headers[":path"] ?? "", headers[":method"], headers);
    if (rpc) {
      rpc.serve(new Http2Exchange(stream, headers, clock));
      return;
    }
    // Node builds these two for every stream that has a "request" listener; here only who needs them
    // pays for them.
    const request = new http2.Http2ServerRequest(stream, headers, {}, rawHeaders);
    const socket = socketOf(stream.session);
    // On TLS the session knows only what stands between it and the socket.
    if (socket instanceof TLSSocket) Object.defineProperty(request, "socket", { value: socket });
    stream.once("finish", () => {
      if (isBeingRead(request)) return;
      // The request holds back the stream, whose rest has to be thrown away, while it is full itself.
      request.resume();
      setImmediate(closeWhenSent, stream);
    });
    handler.serveHttp(request, new http2.Http2ServerResponse(stream));
  };
  server.on("stream", onStream as (...args: unknown[]) => void);
  return server;
}

/** A handler may answer first and read on. */
function isBeingRead(request: http2.Http2ServerRequest): boolean {
  return request.readableFlowing === true || request.listenerCount("readable") > 0;
}
