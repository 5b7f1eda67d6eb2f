import type { DescMethod } from "@bufbuild/protobuf";
import { show } from "./check-options.ts";
import { ConnectumError } from "./errors.ts";

const grammar = /^(\*|\w+(\.\w+)*(\.\*|\/\*|\/\w+))$/;

/** Infrastructure that must answer when nothing else does. */
export const infrastructureMethods: readonly string[] = [
  "grpc.health.v1.Health/*",
  "grpc.reflection.*",
];

/** Throws unless each is `*`, `pkg.*`, `pkg.Service/*` or `pkg.Service/Method`. */
export function checkMethodPatterns(name: string, patterns: readonly string[]): void {
  const isList = Array.isArray(patterns);
  const wrong = isList ? patterns.find((pattern) => !isMethodPattern(pattern)) : patterns;
  if (isList && wrong === undefined) return;
  throw new ConnectumError(
    "INVALID_OPTION",
    `${name} takes "*", "pkg.*", "pkg.Service/*" and "pkg.Service/Method", got ${show(wrong)}`,
  );
}

export function isMethodPattern(pattern: unknown): boolean {
  return typeof pattern === "string" && grammar.test(pattern);
}

/** Whether a pattern means the method, or its name `pkg.Service/Method`. `pkg.*` means everything below `pkg`, however deep. */
export function matchesMethodPattern(pattern: string, method: DescMethod | string): boolean {
  if (pattern === "*") return true;
  const name = typeof method === "string" ? method : methodName(method);
  return pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}

/** From general to exact, for sorting. */
export function comparePatterns(a: string, b: string): number {
  return rank(a) - rank(b);
}

/** `pkg.Service/Method` */
export function methodName(method: DescMethod): string {
  return `${method.parent.typeName}/${method.name}`;
}

/** Longer prefixes are more exact; one method alone is the most exact there is. */
function rank(pattern: string): number {
  return pattern.endsWith("*") ? pattern.length : Number.POSITIVE_INFINITY;
}

/** Tests methods against patterns, each method once. Throws INVALID_OPTION for a malformed pattern. */
export function methodMatcher(
  name: string,
  patterns: readonly string[],
): (method: DescMethod) => boolean {
  checkMethodPatterns(name, patterns);
  const own = [...patterns];
  const known = new WeakMap<DescMethod, boolean>();
  return (method) => {
    let matches = known.get(method);
    if (matches === undefined) {
      matches = own.some((pattern) => matchesMethodPattern(pattern, method));
      known.set(method, matches);
    }
    return matches;
  };
}
