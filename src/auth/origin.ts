import { type ContextValues, createContextKey } from "@connectrpc/connect";
import { authContextKey } from "./auth-context.ts";
import type { Identity } from "./current-auth.ts";

const identityKey = createContextKey<Identity | undefined>(undefined, {
  description: "connectum verified identity",
});

/** Puts a verified identity on a call. */
export function setIdentity(values: ContextValues, identity: Identity): void {
  values.set(authContextKey, identity.context);
  values.set(identityKey, identity);
}

/** The identity on a call. A context that something else has put there is not internal. */
export function identityOf(values: ContextValues): Identity | undefined {
  const context = values.get(authContextKey);
  if (!context) return undefined;
  const identity = values.get(identityKey);
  return identity?.context === context ? identity : { context, isInternal: false };
}

/**
 * Whether the identity on the call is one that an internal authenticator has verified. Nothing a
 * context says of itself counts, and neither does a context that was replaced later.
 */
export function hasInternalIdentity(values: ContextValues): boolean {
  return identityOf(values)?.isInternal ?? false;
}
