import { createContextValues, type Interceptor } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { type Peer, peerKey, transportKey } from "./context-keys.ts";
import { interceptorExtension } from "./extend-interceptor.ts";
import { answerHttp } from "./http-fallback.ts";
import type { LifecycleEvents } from "./lifecycle-events.ts";
import type { RequestListener } from "./listener.ts";
import type { ResolvedOptions } from "./options.ts";
import type { NodeRequest, NodeResponse } from "./protocol.ts";
import type { RouteTable } from "./routes.ts";

/** Answers RPCs, then what protocols claim, then 404. */
export function createRequestListener(
  { routes }: RouteTable,
  { protocols }: ResolvedOptions,
  lateAbort: AbortSignal,
  events: LifecycleEvents,
): RequestListener {
  const handlers = protocols.flatMap(({ httpHandler }) => (httpHandler ? [httpHandler] : []));
  return connectNodeAdapter({
    shutdownSignal: lateAbort,
    contextValues: (request) =>
      createContextValues().set(transportKey, "http").set(peerKey, peerOf(request)),
    fallback: (request, response) =>
      void answerHttp(handlers, request, response as NodeResponse, events),
    routes(router) {
      for (const { method, implementation, options } of routes.values()) {
        const { compression, interceptors, ...rest } = options;
        router.rpc(
          method,
          implementation as never,
          {
            ...rest,
            acceptCompression: compression.accept,
            compressMinBytes: compression.minBytes,
            interceptors: interceptors.map(withGate),
          } as Parameters<typeof router.rpc>[2],
        );
      }
    },
  });
}

/** Runs the gate of an extended interceptor where the interceptor stands in the chain. */
function withGate(interceptor: Interceptor): Interceptor {
  const gate = interceptorExtension(interceptor)?.gate;
  if (!gate) return interceptor;
  return (next) => {
    const call = interceptor(next);
    return async (request) => {
      await gate({
        method: request.method,
        header: request.header,
        contextValues: request.contextValues,
        peer: request.contextValues.get(peerKey),
      });
      return call(request);
    };
  };
}

function peerOf({ socket }: NodeRequest): Peer {
  return { address: socket.remoteAddress ?? "", port: socket.remotePort };
}
