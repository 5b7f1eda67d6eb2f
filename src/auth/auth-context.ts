import { createContextKey } from "@connectrpc/connect";

/** Who calls, as an authenticator has verified it. Frozen, because calls may share it. */
export interface AuthContext {
  readonly subject: string;
  readonly name?: string;
  readonly roles: readonly string[];
  readonly scopes: readonly string[];
  /** What the credential says besides. */
  readonly claims: Readonly<Record<string, unknown>>;
  /** How the caller was authenticated: `jwt`, `gateway`, `session`, `mtls`, `internal` or your own. */
  readonly type: string;
  /** When the credential ends; with a `cache` the identity is not kept any longer. */
  readonly expiresAt?: Date;
}

/** What an authenticator's callback returns: a subject, and whatever else it knows. */
export interface AuthContextInit {
  readonly subject: string;
  readonly name?: string;
  readonly roles?: readonly string[];
  readonly scopes?: readonly string[];
  readonly claims?: Readonly<Record<string, unknown>>;
  /** Default: the name of the authenticator's kind. */
  readonly type?: string;
  readonly expiresAt?: Date;
}

/** Where the caller's identity is kept on a call; `undefined` for an anonymous one. */
export const authContextKey = createContextKey<AuthContext | undefined>(undefined, {
  description: "connectum auth context",
});

/** A complete, frozen context. Throws a TypeError for one that would not say who somebody is. */
export function toAuthContext(init: AuthContextInit, defaultType: string): AuthContext {
  const { subject, name, roles = [], scopes = [], claims = {}, type = defaultType } = init;
  if (typeof subject !== "string" || subject === "") throw invalid("subject", "a non-empty string");
  if (typeof type !== "string" || type === "") throw invalid("type", "a non-empty string");
  if (name !== undefined && typeof name !== "string") throw invalid("name", "a string");
  if (!isStringList(roles)) throw invalid("roles", "a list of strings");
  if (!isStringList(scopes)) throw invalid("scopes", "a list of strings");
  if (typeof claims !== "object" || claims === null) throw invalid("claims", "an object");
  const { expiresAt } = init;
  if (expiresAt !== undefined && !(expiresAt instanceof Date && !Number.isNaN(+expiresAt))) {
    throw invalid("expiresAt", "a valid Date");
  }
  return Object.freeze({
    subject,
    ...(name === undefined ? undefined : { name }),
    roles: Object.freeze([...roles]),
    scopes: Object.freeze([...scopes]),
    claims: Object.isFrozen(claims) ? claims : Object.freeze({ ...claims }),
    type,
    ...(expiresAt === undefined ? undefined : { expiresAt }),
  });
}

function isStringList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

function invalid(field: string, rule: string): TypeError {
  return new TypeError(`${field} of an AuthContext must be ${rule}`);
}
