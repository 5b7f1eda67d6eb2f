import { AsyncLocalStorage, AsyncResource } from "node:async_hooks";
import {
  Code,
  ConnectError,
  type ContextValues,
  type Interceptor,
  type StreamResponse,
} from "@connectrpc/connect";
import { type AuthContext, authContextKey } from "./auth-context.ts";

/** A handler's context, or the request or gate context that interceptors see. */
export type HasContextValues =
  | { readonly values: ContextValues }
  | { readonly contextValues: ContextValues };

/** An identity, and whether an internal authenticator has verified it. */
export interface Identity {
  readonly context: AuthContext;
  readonly isInternal: boolean;
}

const storage = new AsyncLocalStorage<Identity | undefined>();

/**
 * Who calls; `undefined` for an anonymous caller. Pass the handler's context where you have it;
 * without an argument the answer comes from the async context of the call.
 */
export function getAuthContext(context?: HasContextValues): AuthContext | undefined {
  if (context === undefined) return storage.getStore()?.context;
  const values = "values" in context ? context.values : context.contextValues;
  return values.get(authContextKey);
}

/** Who calls. Throws `unauthenticated` for an anonymous caller. */
export function requireAuthContext(context?: HasContextValues): AuthContext {
  const auth = getAuthContext(context);
  if (!auth) throw new ConnectError("Authentication required", Code.Unauthenticated);
  return auth;
}

/** The caller whose handler is running. */
export function getCurrentIdentity(): Identity | undefined {
  return storage.getStore();
}

/**
 * Runs a function as somebody outside of a call, such as a job: `getAuthContext()` finds the identity
 * in it, and `propagateAuth()` passes it on.
 */
export function runWithAuthContext<T>(context: AuthContext, fn: () => T): T {
  return storage.run({ context, isInternal: false }, fn);
}

type Next = ReturnType<Interceptor>;

/** Runs the rest of a call as the caller, to the end of its streams. */
export function runCallAs(
  identity: Identity | undefined,
  next: Next,
  request: Parameters<Next>[0],
): ReturnType<Next> {
  if (!request.stream) return storage.run(identity, next, request);
  return storage.run(identity, async () => {
    const scope = new AsyncResource("connectum.auth");
    const response = (await next(request)) as StreamResponse;
    return { ...response, message: bindMessages(response.message, scope) } as StreamResponse;
  });
}

/**
 * Whoever reads the messages resumes the handler, and does so in its own async context: without this
 * a generator loses its caller at the first message.
 */
function bindMessages<T>(messages: AsyncIterable<T>, scope: AsyncResource): AsyncIterable<T> {
  return {
    [Symbol.asyncIterator]() {
      const iterator = scope.runInAsyncScope(() => messages[Symbol.asyncIterator]());
      const next = () => iterator.next();
      const bound: AsyncIterator<T> = { next: () => scope.runInAsyncScope(next) };
      if (iterator.return) {
        bound.return = (value) => scope.runInAsyncScope(() => iterator.return?.(value)) as never;
      }
      if (iterator.throw) {
        bound.throw = (error) => scope.runInAsyncScope(() => iterator.throw?.(error)) as never;
      }
      return bound;
    },
  };
}
