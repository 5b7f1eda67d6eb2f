import type { DescMethod, DescService } from "@bufbuild/protobuf";
import type { ContextValues, Interceptor } from "@connectrpc/connect";
import type { Peer } from "./context-keys.ts";
import type { Logger } from "./logger.ts";

/** What an interceptor learns of its server when routes freeze. */
export interface AttachContext {
  readonly services: readonly DescService[];
  readonly logger: Logger;
  readonly shutdownSignal: AbortSignal;
}

/** What a gate decides on: everything known of a call before its body. */
export interface GateContext {
  readonly method: DescMethod;
  readonly header: Headers;
  readonly contextValues: ContextValues;
  readonly peer: Peer;
}

export interface InterceptorExtension {
  /** Runs once, when routes freeze. A throw makes `start()` reject. */
  readonly attach?: (context: AttachContext) => void | Promise<void>;
  /**
   * Runs for each call, in chain order, on the headers, before any byte of the body is read or
   * inflated. A throw ends the call with that error; interceptors outside see `next` reject.
   */
  readonly gate?: (context: GateContext) => void | Promise<void>;
  /** @internal */
  readonly [wrappedInterceptors]?: (method: DescMethod) => readonly Interceptor[];
}

/** Where a wrapper names the interceptors that run inside it for a method. */
export const wrappedInterceptors = Symbol("connectum wrapped interceptors");

const extensionKey = Symbol.for("connectum.interceptor-extension");

type ExtendedInterceptor = Interceptor & { [extensionKey]?: InterceptorExtension };

/**
 * Returns the interceptor with two abilities a plain one lacks: `attach` to the server's routes and
 * `gate` on a call's headers. The given function stays as it was.
 */
export function extendInterceptor(
  interceptor: Interceptor,
  extension: InterceptorExtension,
): Interceptor {
  const present = interceptorExtension(interceptor);
  return withExtension(interceptor, {
    ...present,
    attach: undefined,
    gate: undefined,
    ...extension,
  });
}

/** A copy of the interceptor with this very extension. */
export function withExtension(
  interceptor: Interceptor,
  extension: InterceptorExtension,
): Interceptor {
  const extended: ExtendedInterceptor = (next) => interceptor(next);
  extended[extensionKey] = extension;
  return extended;
}

/** The extension an interceptor was given, for wrappers that must forward it. */
export function interceptorExtension(interceptor: Interceptor): InterceptorExtension | undefined {
  return (interceptor as ExtendedInterceptor)[extensionKey];
}
