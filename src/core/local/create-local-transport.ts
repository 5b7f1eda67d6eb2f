import type { DescMessage, DescMethodStreaming, DescMethodUnary } from "@bufbuild/protobuf";
import { create } from "@bufbuild/protobuf";
import type {
  Interceptor,
  StreamRequest,
  StreamResponse,
  Transport,
  UnaryRequest,
  UnaryResponse,
} from "@connectrpc/connect";
import { createContextValues } from "@connectrpc/connect";
import { ConnectumError } from "../errors.ts";
import { RpcHeaders } from "../rpc/rpc-headers.ts";

/** Where a server keeps its local door, for this folder and nobody else. */
export const localDoorOf = Symbol("connectum local door");

export interface LocalTransportOptions {
  /** Client interceptors, outermost first. Default none. */
  readonly interceptors?: readonly Interceptor[];
}

/**
 * A transport whose calls stay in this process: no serialization, no sockets, the same interceptors,
 * errors, deadlines and cancellation as on the network. Works before and without `start()`; after
 * `stop()` calls fail with `unavailable`. The first call freezes the server's routes.
 */
export function createLocalTransport(
  server: object,
  options: LocalTransportOptions = {},
): Transport {
  const door = (server as { [localDoorOf]?: Transport })[localDoorOf];
  if (!door) {
    throw new ConnectumError(
      "INVALID_OPTION",
      "createLocalTransport() takes a server made by createServer()",
    );
  }
  const { interceptors = [] } = options;
  return interceptors.length === 0 ? door : withInterceptors(door, interceptors);
}

type AnyFn = (request: UnaryRequest | StreamRequest) => Promise<UnaryResponse | StreamResponse>;

const timeoutOf = Symbol("connectum client timeout");

function withInterceptors(door: Transport, interceptors: readonly Interceptor[]): Transport {
  const call: AnyFn = (request) => {
    const { signal, header } = request;
    const timeoutMs = (request as { [timeoutOf]?: number })[timeoutOf];
    return request.stream
      ? door.stream(request.method, signal, timeoutMs, header, request.message)
      : door.unary(request.method, signal, timeoutMs, header, request.message);
  };
  const chain = interceptors.reduceRight<AnyFn>((next, interceptor) => interceptor(next), call);
  const common = (
    method: DescMethodUnary | DescMethodStreaming,
    signal: AbortSignal | undefined,
    timeoutMs: number | undefined,
    header: HeadersInit | undefined,
    contextValues = createContextValues(),
  ) => ({
    service: method.parent,
    method,
    requestMethod: "POST",
    url: `https://in-process/${method.parent.typeName}/${method.name}`,
    signal: signal ?? new AbortController().signal,
    header: RpcHeaders.from(header),
    contextValues,
    [timeoutOf]: timeoutMs,
  });
  return {
    unary<I extends DescMessage, O extends DescMessage>(
      ...[method, signal, timeoutMs, header, input, values]: Parameters<Transport["unary"]>
    ) {
      return chain({
        ...common(method, signal, timeoutMs, header, values),
        stream: false,
        message: create(method.input, input),
      } as UnaryRequest) as Promise<UnaryResponse<I, O>>;
    },
    stream<I extends DescMessage, O extends DescMessage>(
      ...[method, signal, timeoutMs, header, input, values]: Parameters<Transport["stream"]>
    ) {
      return chain({
        ...common(method, signal, timeoutMs, header, values),
        stream: true,
        message: input,
      } as StreamRequest) as Promise<StreamResponse<I, O>>;
    },
  };
}
