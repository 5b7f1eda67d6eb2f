import type { Interceptor } from "@connectrpc/connect";
import { checkFunction, checkKeys } from "../core/internal.ts";
import type { AuthContextInit } from "./auth-context.ts";
import {
  type AuthCall,
  type CachedAuthenticationOptions,
  cachedAuthenticationKeys,
  createAuthenticator,
} from "./authenticator.ts";
import { bearerToken } from "./credentials.ts";

type Maybe<T> = T | null | undefined;

export interface AuthOptions extends CachedAuthenticationOptions {
  /** Finds the credential of a call. Default: the token of `authorization: Bearer <token>`. */
  readonly extractCredentials?: (call: AuthCall) => Maybe<string> | Promise<Maybe<string>>;
  /**
   * Whom a credential belongs to; null or a throw is `unauthenticated`. A `ConnectError` reaches the
   * client as it is: throw `unavailable` when the credential could not be checked.
   */
  readonly verifyCredentials: (
    credentials: string,
    call: AuthCall,
  ) => Maybe<AuthContextInit> | Promise<Maybe<AuthContextInit>>;
}

/** Authenticates calls with a function of yours. */
export function createAuthInterceptor(options: AuthOptions): Interceptor {
  checkKeys("createAuthInterceptor()", options, [
    ...cachedAuthenticationKeys,
    "extractCredentials",
    "verifyCredentials",
  ]);
  const { extractCredentials = ({ header }) => bearerToken(header), verifyCredentials } = options;
  checkFunction("verifyCredentials", verifyCredentials);
  checkFunction("extractCredentials", extractCredentials);
  return createAuthenticator<Maybe<string>>(options, {
    type: "custom",
    extract: extractCredentials,
    verify: verifyCredentials,
    cacheKey: (credentials) => credentials,
  });
}
