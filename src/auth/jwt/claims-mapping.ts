import type { JwtPayload } from "jsonwebtoken";
import { ConnectumError } from "../../core/index.ts";
import { checkKeys, show } from "../../core/internal.ts";
import type { AuthContextInit } from "../auth-context.ts";
import { Refusal } from "../auth-failure.ts";

/**
 * Which claims say what. A name, or a path with dots such as `realm_access.roles`; a claim whose name
 * has dots itself is found by its name.
 */
export interface ClaimsMapping {
  /** Text or a whole number; a token without it is refused. Default `sub`. */
  readonly subject?: string;
  /** Default `name`. */
  readonly name?: string;
  /** A list of strings, or one as a string. Default `roles`. */
  readonly roles?: string;
  /** A string with spaces between, or a list. Default `scope`. */
  readonly scopes?: string;
}

/** Makes an identity of a token's claims. Throws INVALID_OPTION for a mapping that cannot work. */
export function claimsMapper(mapping: ClaimsMapping = {}): (claims: JwtPayload) => AuthContextInit {
  checkKeys("claimsMapping", mapping, ["subject", "name", "roles", "scopes"]);
  const { subject = "sub", name = "name", roles = "roles", scopes = "scope" } = mapping;
  for (const [field, path] of Object.entries({ subject, name, roles, scopes })) {
    if (typeof path === "string" && path !== "") continue;
    throw new ConnectumError(
      "INVALID_OPTION",
      `claimsMapping.${field} must be the path of a claim, got ${show(path)}`,
    );
  }
  return (claims) => {
    const nameClaim = claimAt(claims, name);
    return {
      subject: subjectOf(claimAt(claims, subject), subject),
      name: typeof nameClaim === "string" ? nameClaim : undefined,
      roles: listOf(claimAt(claims, roles), roles, (text) => [text]),
      scopes: listOf(claimAt(claims, scopes), scopes, (text) => text.split(" ").filter(Boolean)),
      claims,
      expiresAt: expiryOf(claims),
    };
  };
}

function claimAt(claims: object, path: string): unknown {
  if (Object.hasOwn(claims, path)) return (claims as Record<string, unknown>)[path];
  let value: unknown = claims;
  for (const step of path.split(".")) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, step))
      return undefined;
    value = (value as Record<string, unknown>)[step];
  }
  return value;
}

function subjectOf(value: unknown, path: string): string {
  if (typeof value === "string" && value !== "") return value;
  if (Number.isSafeInteger(value)) return String(value);
  throw new Refusal(`the token has no subject in claim "${path}"`);
}

/** Anything but text would change who somebody is if it were dropped. */
function listOf(value: unknown, path: string, split: (text: string) => string[]): string[] {
  if (value === undefined || value === null) return [];
  if (typeof value === "string") return split(value);
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value;
  throw new Refusal(`claim "${path}" is no list of strings`);
}

function expiryOf({ exp }: JwtPayload): Date | undefined {
  const date = exp === undefined ? undefined : new Date(exp * 1000);
  return date && Number.isNaN(date.getTime()) ? undefined : date;
}
