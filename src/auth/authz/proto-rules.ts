import type { AuthContext } from "../auth-context.ts";
import type { AuthCall } from "../authenticator.ts";
import { hasInternalIdentity } from "../origin.ts";
import type { AccessRule } from "./access-rule.ts";
import type { ResolvedMethodAuth } from "./method-auth.ts";
import { describeRequirements, missingRequirement } from "./requirements.ts";
import { allow, refuse, type Verdict } from "./verdict.ts";

/** What a method's proto options decide; `undefined` when they say nothing. */
export function decideByProto(
  { public: isPublic, internal, requires, policy }: ResolvedMethodAuth,
  context: AuthContext | undefined,
  call: AuthCall,
): Verdict | undefined {
  if (isPublic) return allow("public", "the method is public");
  if (internal && !hasInternalIdentity(call.contextValues)) {
    return refuse("internal", "needs an internal identity", !context);
  }
  if (requires) {
    const missing = missingRequirement(requires, context);
    if (missing !== undefined) return refuse("requires", `needs ${missing}`, !context);
    return allow("requires", `has ${describeRequirements(requires)}`);
  }
  if (internal) return allow("internal", "an internal identity");
  if (policy === "allow") return allow("policy", "the policy is allow");
  if (policy === "deny") return refuse("policy", "the policy is deny", false);
  return undefined;
}

/** The same without a call. */
export function explainProto(proto: ResolvedMethodAuth): AccessRule | undefined {
  const { public: isPublic, internal, requires, policy } = proto;
  if (isPublic) return { access: "anybody", who: "anybody", why: "proto: public" };
  const needs = requires && describeRequirements(requires);
  if (internal) {
    const who = needs === undefined ? "internal services" : `internal services with ${needs}`;
    return { access: "internal", who, why: `proto: internal${needs ? " and requires" : ""}` };
  }
  if (needs !== undefined) {
    const access = needs === describeRequirements({}) ? "authenticated" : "requirements";
    return { access, who: needs, why: "proto: requires" };
  }
  if (policy === "allow") return { access: "anybody", who: "anybody", why: "proto: policy" };
  if (policy === "deny") return { access: "nobody", who: "nobody", why: "proto: policy" };
  return undefined;
}
