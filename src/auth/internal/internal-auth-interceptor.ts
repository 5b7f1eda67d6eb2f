import type { DescMethod } from "@bufbuild/protobuf";
import type { Interceptor } from "@connectrpc/connect";
import { ConnectumError } from "../../core/index.ts";
import { checkKeys, methodMatcher, show } from "../../core/internal.ts";
import {
  type CachedAuthenticationOptions,
  cachedAuthenticationKeys,
  createAuthenticator,
} from "../authenticator.ts";
import { getInternalMethods, resolveMethodAuth } from "../authz/method-auth.ts";
import type { InternalTrust } from "./internal-trust.ts";

export interface InternalAuthOptions extends CachedAuthenticationOptions {
  /** How callers prove which service they are. */
  readonly trustSource: InternalTrust;
  /**
   * The methods it guards; all others pass it as they are. Default: those marked `internal` by the
   * options of `connectum/auth/v1/options.proto`.
   */
  readonly internalMethods?: readonly string[];
}

/**
 * Authenticates services of your own. Only its identities reach methods marked `internal`. Let the
 * authenticator of end users skip these methods.
 */
export function createInternalAuthInterceptor(options: InternalAuthOptions): Interceptor {
  checkKeys("createInternalAuthInterceptor()", options, [
    ...cachedAuthenticationKeys,
    "trustSource",
    "internalMethods",
  ]);
  const { trustSource, internalMethods } = options;
  if (typeof trustSource?.verify !== "function") {
    throw new ConnectumError(
      "INVALID_OPTION",
      "trustSource must come from meshIdentityTrust(), signedTokenTrust() or sharedSecretTrust(), " +
        `got ${show(trustSource)}`,
    );
  }
  const isGuarded = internalMethods
    ? methodMatcher("internalMethods", internalMethods)
    : (method: DescMethod) => resolveMethodAuth(method).internal;
  return createAuthenticator<string | null | undefined>(options, {
    type: "internal",
    isInternal: true,
    ownHeaders: trustSource.headers,
    appliesTo: isGuarded,
    extract: (call, headers) => trustSource.proof(call, headers),
    verify: (proof, call) => trustSource.verify(proof, call),
    cacheKey: (proof) => proof,
    attach({ services }) {
      if (!internalMethods) getInternalMethods(services);
    },
  });
}
