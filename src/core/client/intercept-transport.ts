import { create, type DescMessage } from "@bufbuild/protobuf";
import type {
  Interceptor,
  StreamRequest,
  StreamResponse,
  Transport,
  UnaryRequest,
  UnaryResponse,
} from "@connectrpc/connect";
import { type AnyFn, compose } from "../rpc/chain.ts";
import { normalizeMessages } from "../rpc/messages.ts";
import { RpcHeaders } from "../rpc/rpc-headers.ts";
import { OutgoingScope } from "./outgoing-scope.ts";
import { type OutgoingTarget, OutgoingValues } from "./outgoing-values.ts";

type CallArgs = Parameters<Transport["unary"]> | Parameters<Transport["stream"]>;

/** Finds the scope of a request object, also after an interceptor has copied it with a spread. */
const scopeOf = Symbol("connectum outgoing call");

/** The target of every local call. */
export const inProcess: OutgoingTarget = {
  baseUrl: "https://in-process",
  transport: "in-process",
};

/**
 * The transport with client interceptors around it, outermost first, whatever it leads to. They see
 * what they would see on a transport of connect-node, except for headers its protocol adds.
 */
export function interceptTransport(
  transport: Transport,
  interceptors: readonly Interceptor[],
  target: OutgoingTarget,
): Transport {
  if (interceptors.length === 0) return transport;
  const call: AnyFn = (request) => {
    const { signal, header, contextValues } = request;
    const values = contextValues instanceof OutgoingValues ? contextValues.given : contextValues;
    const timeoutMs = (request as { [scopeOf]?: OutgoingScope })[scopeOf]?.timeLeft;
    return request.stream
      ? transport.stream(request.method, signal, timeoutMs, header, request.message, values)
      : transport.unary(request.method, signal, timeoutMs, header, request.message, values);
  };
  const chain = compose(interceptors, call);
  const start = ([method, signal, timeoutMs, header, , values]: CallArgs) => {
    const scope = new OutgoingScope(signal, timeoutMs);
    const request = {
      service: method.parent,
      method,
      requestMethod: "POST",
      url: `${target.baseUrl.replace(/\/$/, "")}/${method.parent.typeName}/${method.name}`,
      signal: scope.signal,
      header: RpcHeaders.from(header),
      contextValues: new OutgoingValues(values, target.transport),
      [scopeOf]: scope,
    };
    return { scope, request };
  };
  return {
    async unary<I extends DescMessage, O extends DescMessage>(
      ...args: Parameters<Transport["unary"]>
    ) {
      const { scope, request } = start(args);
      const [method, , , , input] = args;
      const message = create(method.input, input);
      try {
        const response = await chain({ ...request, stream: false, message } as UnaryRequest);
        scope.end();
        return response as UnaryResponse<I, O>;
      } catch (thrown) {
        throw scope.fail(thrown);
      }
    },
    async stream<I extends DescMessage, O extends DescMessage>(
      ...args: Parameters<Transport["stream"]>
    ) {
      const { scope, request } = start(args);
      const [method, , , , input] = args;
      const message = normalizeMessages(input, (item) => create(method.input, item as never));
      try {
        const response = await chain({ ...request, stream: true, message } as StreamRequest);
        const messages = scope.follow(response.message as AsyncIterable<unknown>);
        return { ...response, message: messages } as StreamResponse<I, O>;
      } catch (thrown) {
        throw scope.fail(thrown);
      }
    },
  };
}
