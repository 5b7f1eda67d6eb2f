import type { Message } from "@bufbuild/protobuf";
import type { ConnectError, Interceptor } from "@connectrpc/connect";
import {
  type InterceptorExtension,
  interceptorExtension,
  withExtension,
} from "../extend-interceptor.ts";
import type { Call } from "./call.ts";

/** Follows one call from its headers to its end. Nothing here may throw. */
export interface CallObserver {
  /** A request message was decoded; `bytes` is its length where its binary form was on the wire. */
  onReceived(message: Message, bytes: number | undefined): void;
  /** A response message is on its way; `bytes` as above. */
  onSent(message: Message, bytes: number | undefined): void;
  /** The call is over, once. `error` is what its client was told, or why the client left. */
  onEnd(error: ConnectError | undefined): void;
}

/** Asked when the headers of a call are known and nothing of its body is read. */
export type CallObserverFactory = (call: Call) => CallObserver | undefined;

interface ObservingExtension extends InterceptorExtension {
  readonly observe?: CallObserverFactory;
}

/**
 * The interceptor with a view of what an interceptor cannot see: the start before the body, lengths
 * on the wire, failures around the chain, the real end. It is left out of calls `observe` declines.
 */
export function observeCalls(interceptor: Interceptor, observe: CallObserverFactory): Interceptor {
  const extension: ObservingExtension = { ...interceptorExtension(interceptor), observe };
  return withExtension(interceptor, extension);
}

export function observerFactory(interceptor: Interceptor): CallObserverFactory | undefined {
  return (interceptorExtension(interceptor) as ObservingExtension | undefined)?.observe;
}
