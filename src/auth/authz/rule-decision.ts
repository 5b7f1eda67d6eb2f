import type { AuthContext } from "../auth-context.ts";
import type { AccessRule } from "./access-rule.ts";
import type { CompiledRule } from "./authz-rule.ts";
import { describeRequirements, missingRequirement } from "./requirements.ts";
import { allow, refuse, type Verdict } from "./verdict.ts";

/** The rules that match a method, in their order. */
export interface RulesOfMethod {
  readonly denies: readonly CompiledRule[];
  readonly allows: readonly CompiledRule[];
}

/**
 * What the rules decide; `undefined` when none is about this call. Allow rules that match the method
 * and are not met refuse: whoever wrote them meant to keep others out.
 */
export function decideByRules(
  { denies, allows }: RulesOfMethod,
  context: AuthContext | undefined,
): Verdict | undefined {
  for (const { name, requires } of denies) {
    if (!requires || missingRequirement(requires, context) === undefined) {
      return refuse(
        name,
        `the rule refuses ${requires ? describeRequirements(requires) : "everybody"}`,
        false,
      );
    }
  }
  let unmet: Verdict | undefined;
  for (const { name, requires } of allows) {
    const missing = requires && missingRequirement(requires, context);
    if (missing === undefined) return allow(name, "the rule allows it");
    unmet ??= refuse(name, `needs ${missing}`, !context);
  }
  return unmet;
}

/** The same without a call; `rest` is what holds where no rule decides. */
export function explainRules({ denies, allows }: RulesOfMethod, rest: AccessRule): AccessRule {
  const all = denies.find(({ requires }) => !requires);
  if (all) return { access: "nobody", who: "nobody", why: `rule "${all.name}"` };
  const allowed = allows.length > 0 ? explainAllows(allows) : rest;
  const except = denies.map(
    ({ name, requires = {} }) => `not ${describeRequirements(requires)} (rule "${name}")`,
  );
  return { ...allowed, who: [allowed.who, ...except].join(", ") };
}

function explainAllows(allows: readonly CompiledRule[]): AccessRule {
  const why = allows.map(({ name }) => `rule "${name}"`).join(", ");
  if (allows.some(({ requires }) => !requires)) return { access: "anybody", who: "anybody", why };
  const needs = allows.map(({ requires = {} }) => describeRequirements(requires));
  const isAnyIdentity = needs.includes(describeRequirements({}));
  return {
    access: isAnyIdentity ? "authenticated" : "requirements",
    who: isAnyIdentity ? describeRequirements({}) : needs.join("; or "),
    why,
  };
}
