import type { DescMethod } from "@bufbuild/protobuf";
import { ConnectumError } from "../../core/index.ts";
import { checkKeys, methodMatcher, show } from "../../core/internal.ts";
import { checkRequirements, type Requirements } from "./requirements.ts";

export interface AuthzRule {
  /** Shown in decisions and logs, never to clients. Unique. */
  readonly name: string;
  /** `*`, `pkg.*`, `pkg.Service/*`, `pkg.Service/Method`. */
  readonly methods: readonly string[];
  readonly effect: "allow" | "deny";
  /**
   * Whom the rule is about; `{}` is everybody with an identity. Without it, everybody, anonymous
   * callers included.
   */
  readonly requires?: Requirements;
}

/** A rule that was checked. */
export interface CompiledRule extends AuthzRule {
  matches(method: DescMethod): boolean;
}

/** Throws INVALID_OPTION for a rule that cannot be meant so. */
export function compileRules(rules: readonly AuthzRule[]): CompiledRule[] {
  if (!Array.isArray(rules)) {
    throw new ConnectumError("INVALID_OPTION", `rules must be a list, got ${show(rules)}`);
  }
  const names = new Set<string>();
  return rules.map((rule: AuthzRule, index) => {
    checkKeys(`rules[${index}]`, rule, ["name", "methods", "effect", "requires"]);
    const { name, methods, effect, requires } = rule;
    if (typeof name !== "string" || name === "" || names.has(name)) {
      throw invalid(index, `name must be a unique, non-empty string, got ${show(name)}`);
    }
    names.add(name);
    const where = `rule "${name}"`;
    if (effect !== "allow" && effect !== "deny") {
      throw invalid(index, `effect must be "allow" or "deny", got ${show(effect)}`);
    }
    if (!Array.isArray(methods) || methods.length === 0) {
      throw invalid(index, `methods must be a list of at least one pattern, got ${show(methods)}`);
    }
    if (requires !== undefined) checkRequirements(where, requires);
    if (effect === "deny" && requires && !requires.roles && !requires.scopes) {
      throw invalid(index, "requires is empty; leave it out to deny everybody");
    }
    return { name, methods, effect, requires, matches: methodMatcher(where, methods) };
  });
}

function invalid(index: number, problem: string): ConnectumError {
  return new ConnectumError("INVALID_OPTION", `rules[${index}]: ${problem}`);
}
