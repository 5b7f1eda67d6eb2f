import type { DescMethod } from "@bufbuild/protobuf";
import { checkOneOf, methodName } from "../core/internal.ts";

/** What shares one limit or one breaker. */
export type Scope = "server" | "service" | "method";

const scopes: readonly Scope[] = ["server", "service", "method"];

export function checkScope(name: string, scope: Scope): void {
  checkOneOf(name, scope, scopes);
}

/** Equal for methods that share. */
export function scopeKey(scope: Scope, method: DescMethod): string {
  if (scope === "server") return "*";
  return scope === "service" ? `${method.parent.typeName}/*` : methodName(method);
}
