import type { Interceptor } from "@connectrpc/connect";
import { ConnectumError } from "../core/index.ts";
import { checkFunction, checkKeys, show } from "../core/internal.ts";
import type { AuthContextInit } from "./auth-context.ts";
import {
  type AuthCall,
  type CachedAuthenticationOptions,
  cachedAuthenticationKeys,
  createAuthenticator,
} from "./authenticator.ts";
import { bearerToken, cookie } from "./credentials.ts";
import { checkHeaderName } from "./trust-source.ts";

type Maybe<T> = T | null | undefined;

export interface SessionAuthOptions<S> extends CachedAuthenticationOptions {
  /** Where the session's token is. Default: `authorization: Bearer <token>`. */
  readonly extractToken?:
    | { readonly cookie: string }
    | { readonly header: string }
    | ((call: AuthCall) => Maybe<string>);
  /**
   * Finds the session of a token; null is `unauthenticated`. Throw a `ConnectError` with `unavailable`
   * when the store cannot be asked: it reaches the client, where anything else is a bad credential.
   */
  readonly verifySession: (token: string, call: AuthCall) => Maybe<S> | Promise<Maybe<S>>;
  /** Whom a session belongs to. */
  readonly mapSession: (session: S) => AuthContextInit;
}

/** Authenticates calls by a session that a store of yours knows. */
export function createSessionAuthInterceptor<S>(options: SessionAuthOptions<S>): Interceptor {
  checkKeys("createSessionAuthInterceptor()", options, [
    ...cachedAuthenticationKeys,
    "extractToken",
    "verifySession",
    "mapSession",
  ]);
  const { verifySession, mapSession } = options;
  checkFunction("verifySession", verifySession);
  checkFunction("mapSession", mapSession);
  return createAuthenticator<Maybe<string>>(options, {
    type: "session",
    extract: tokenReader(options.extractToken),
    async verify(token, call) {
      const session = await verifySession(token, call);
      return session === null || session === undefined ? null : mapSession(session);
    },
    cacheKey: (token) => token,
  });
}

function tokenReader(
  source: SessionAuthOptions<unknown>["extractToken"],
): (call: AuthCall) => Maybe<string> {
  if (source === undefined) return ({ header }) => bearerToken(header);
  if (typeof source === "function") return source;
  const isPlace = typeof source === "object" && source !== null;
  if (isPlace && "cookie" in source && /^[!#$%&'*+\-.^_`|~\w]+$/.test(source.cookie)) {
    return ({ header }) => cookie(header, source.cookie);
  }
  if (isPlace && "header" in source) {
    const name = checkHeaderName("extractToken.header", source.header);
    return ({ header }) => header.get(name);
  }
  throw new ConnectumError(
    "INVALID_OPTION",
    `extractToken must be { cookie }, { header } or a function, got ${show(source)}`,
  );
}
