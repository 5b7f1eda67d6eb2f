import { ConnectumError } from "../../core/index.ts";
import { checkKeys, show } from "../../core/internal.ts";
import type { AuthContext } from "../auth-context.ts";

/** What a caller needs. With neither roles nor scopes: an identity. */
export interface Requirements {
  /** At least one of them. */
  readonly roles?: readonly string[];
  /** All of them. */
  readonly scopes?: readonly string[];
}

/** What the caller lacks, in words; `undefined` when nothing is missing. */
export function missingRequirement(
  { roles = [], scopes = [] }: Requirements,
  context: AuthContext | undefined,
): string | undefined {
  if (!context) return "an identity";
  if (roles.length > 0 && !roles.some((role) => context.roles.includes(role))) {
    return describeRoles(roles);
  }
  const absent = scopes.filter((scope) => !context.scopes.includes(scope));
  return absent.length > 0 ? describeScopes(absent) : undefined;
}

/** The requirements in words. */
export function describeRequirements({ roles = [], scopes = [] }: Requirements): string {
  const parts = [
    ...(roles.length > 0 ? [describeRoles(roles)] : []),
    ...(scopes.length > 0 ? [describeScopes(scopes)] : []),
  ];
  return parts.length > 0 ? parts.join(" and ") : "any identity";
}

/** Throws INVALID_OPTION for a list that nobody, or anybody, would satisfy by mistake. */
export function checkRequirements(where: string, requires: Requirements): void {
  if (typeof requires !== "object" || requires === null) {
    throw new ConnectumError(
      "INVALID_OPTION",
      `${where}.requires must be { roles?, scopes? }, got ${show(requires)}`,
    );
  }
  checkKeys(`${where}.requires`, requires, ["roles", "scopes"]);
  for (const [name, list] of Object.entries(requires)) {
    if (list === undefined) continue;
    const isGood =
      Array.isArray(list) &&
      list.length > 0 &&
      list.every((item) => typeof item === "string" && item !== "");
    if (isGood) continue;
    throw new ConnectumError(
      "INVALID_OPTION",
      `${where}.requires.${name} must be a list of at least one non-empty string; leave it out to ` +
        "require none",
    );
  }
}

function describeRoles(roles: readonly string[]): string {
  return `role ${roles.join(" or ")}`;
}

function describeScopes(scopes: readonly string[]): string {
  return `scope ${scopes.join(" and ")}`;
}
