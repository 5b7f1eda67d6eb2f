import { type AuthContext, type AuthContextInit, runWithAuthContext } from "../../auth/index.ts";

/** A frozen identity: `test-user` of type `test` with neither roles nor scopes, but for what is given. */
export function createMockAuthContext(init: Partial<AuthContextInit> = {}): AuthContext {
  const { subject = "test-user", type = "test", roles = [], scopes = [], claims = {} } = init;
  return Object.freeze({
    ...init,
    subject,
    type,
    roles: Object.freeze([...roles]),
    scopes: Object.freeze([...scopes]),
    claims: Object.freeze({ ...claims }),
  });
}

/**
 * Runs a function as somebody, so that `getAuthContext()` and `propagateAuth()` find that identity.
 * Takes a context, or what `createMockAuthContext` takes.
 */
export function withAuthContext<T>(context: Partial<AuthContextInit>, fn: () => T): T {
  return runWithAuthContext(createMockAuthContext(context), fn);
}
