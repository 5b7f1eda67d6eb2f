import type { DescMethod } from "@bufbuild/protobuf";
import { createContextKey, type Interceptor } from "@connectrpc/connect";
import {
  extendInterceptor,
  type GateContext,
  type InterceptorExtension,
  peerKey,
} from "../core/index.ts";
import type { AccessRule } from "./authz/access-rule.ts";

/** Where an interceptor of this folder says what it does, for `explainAuthz`. */
export const explainKey = Symbol("connectum auth explanation");

export interface Explanation {
  /** The kind of authenticator that checks a method, if it does. */
  readonly authenticates?: (method: DescMethod) => string | undefined;
  /** Who may call a method. */
  readonly authorizes?: (method: DescMethod) => AccessRule;
}

export interface Gated extends Required<Pick<InterceptorExtension, "gate" | "attach">> {
  /** The rest of a call that has passed. Default: as it is. */
  readonly proceed?: (
    next: ReturnType<Interceptor>,
    request: Parameters<ReturnType<Interceptor>>[0],
  ) => ReturnType<ReturnType<Interceptor>>;
  readonly [explainKey]: Explanation;
}

/**
 * An interceptor whose gate no call can miss: where gates do not run, as in another server's chain or
 * behind a wrapper that lost them, the interceptor runs it itself.
 */
export function createGated({ proceed, ...gated }: Gated): Interceptor {
  const passedKey = createContextKey(false, { description: "connectum gate passed" });
  const gate = (call: GateContext) => {
    call.contextValues.set(passedKey, true);
    return gated.gate(call);
  };
  const interceptor: Interceptor = (next) => {
    const go: typeof next = proceed ? (request) => proceed(next, request) : next;
    return (request) => {
      const { contextValues, header, method } = request;
      if (contextValues.get(passedKey)) return go(request);
      const call = { method, header, contextValues, peer: contextValues.get(peerKey) };
      return Promise.resolve(call)
        .then(gate)
        .then(() => go(request));
    };
  };
  const extension: InterceptorExtension & Pick<Gated, typeof explainKey> = { ...gated, gate };
  return extendInterceptor(interceptor, extension);
}
