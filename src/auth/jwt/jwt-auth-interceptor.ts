import type { Interceptor } from "@connectrpc/connect";
import { checkFunction, checkKeys } from "../../core/internal.ts";
import {
  type AuthCall,
  type CachedAuthenticationOptions,
  cachedAuthenticationKeys,
  createAuthenticator,
} from "../authenticator.ts";
import { bearerToken } from "../credentials.ts";
import { type ClaimsMapping, claimsMapper } from "./claims-mapping.ts";
import { type KeySourceOptions, keySourceKeys } from "./key-source.ts";
import { type TokenRules, TokenVerifier, tokenRuleKeys } from "./token-verifier.ts";

export interface JwtAuthOptions extends CachedAuthenticationOptions, KeySourceOptions, TokenRules {
  /** Which claims describe the caller. Default `sub`, `name`, `roles` and `scope`. */
  readonly claimsMapping?: ClaimsMapping;
  /** Finds the token of a call. Default: that of `authorization: Bearer <token>`. */
  readonly extractToken?: (call: AuthCall) => string | null | undefined;
}

/**
 * Authenticates calls by a JSON Web Token. Throws INVALID_OPTION or UNSUPPORTED_KEY for keys and
 * algorithms that cannot be trusted. While a JWKS endpoint is down, tokens of known keys still work
 * and others get `unavailable`.
 *
 * @example
 * createJwtAuthInterceptor({
 *   jwksUri: "https://issuer.example/.well-known/jwks.json",
 *   issuer: "https://issuer.example/",
 *   audience: "payments",
 * })
 */
export function createJwtAuthInterceptor(options: JwtAuthOptions): Interceptor {
  const where = "createJwtAuthInterceptor()";
  checkKeys(where, options, [
    ...cachedAuthenticationKeys,
    ...keySourceKeys,
    ...tokenRuleKeys,
    "claimsMapping",
    "extractToken",
  ]);
  const { claimsMapping, extractToken = ({ header }) => bearerToken(header) } = options;
  checkFunction("extractToken", extractToken);
  const verifier = new TokenVerifier(where, options, options);
  const toContext = claimsMapper(claimsMapping);
  return createAuthenticator<string | null | undefined>(options, {
    type: "jwt",
    extract: extractToken,
    verify(token) {
      const claims = verifier.verify(token);
      return claims instanceof Promise ? claims.then(toContext) : toContext(claims);
    },
    cacheKey: (token) => token,
  });
}
