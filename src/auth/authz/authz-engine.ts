import type { DescMethod } from "@bufbuild/protobuf";
import { ConnectumError } from "../../core/index.ts";
import { checkFunction, show } from "../../core/internal.ts";
import { type AuthContext, authContextKey } from "../auth-context.ts";
import type { AuthCall } from "../authenticator.ts";
import type { AccessRule } from "./access-rule.ts";
import { type AuthzRule, type CompiledRule, compileRules } from "./authz-rule.ts";
import { type ResolvedMethodAuth, resolveMethodAuth } from "./method-auth.ts";
import { decideByProto, explainProto } from "./proto-rules.ts";
import { decideByRules, explainRules, type RulesOfMethod } from "./rule-decision.ts";
import { allow, refuse, type Verdict } from "./verdict.ts";

export type AuthzPolicy = "allow" | "deny";

/**
 * Decides what no rule decides: true allows, false refuses, undefined leaves it to the default policy.
 * A throw refuses; a `ConnectError` reaches the client as it is.
 */
export type Authorize = (
  context: AuthContext | undefined,
  call: AuthCall,
) => boolean | undefined | Promise<boolean | undefined>;

export interface EngineOptions {
  readonly rules: readonly AuthzRule[];
  readonly defaultPolicy: AuthzPolicy;
  readonly authorize: Authorize | undefined;
  readonly readsProto: boolean;
}

/** What is known of a method before anybody calls it. */
interface MethodPolicy extends RulesOfMethod {
  readonly proto: ResolvedMethodAuth | undefined;
}

/** The one place that decides, for both interceptors. Compiles each method once. */
export class AuthzEngine {
  readonly #rules: readonly CompiledRule[];
  readonly #defaultPolicy: AuthzPolicy;
  readonly #authorize: Authorize | undefined;
  readonly #readsProto: boolean;
  readonly #policies = new WeakMap<DescMethod, MethodPolicy>();

  constructor({ rules, defaultPolicy, authorize, readsProto }: EngineOptions) {
    if (defaultPolicy !== "allow" && defaultPolicy !== "deny") {
      throw new ConnectumError(
        "INVALID_OPTION",
        `defaultPolicy must be "allow" or "deny", got ${show(defaultPolicy)}`,
      );
    }
    if (authorize !== undefined) checkFunction("authorize", authorize);
    this.#rules = compileRules(rules);
    this.#defaultPolicy = defaultPolicy;
    this.#authorize = authorize;
    this.#readsProto = readsProto;
  }

  /** Throws INVALID_OPTION for proto options of the method that contradict each other. */
  policyOf(method: DescMethod): MethodPolicy {
    let policy = this.#policies.get(method);
    if (!policy) {
      const matching = this.#rules.filter((rule) => rule.matches(method));
      policy = {
        proto: this.#readsProto ? resolveMethodAuth(method) : undefined,
        denies: matching.filter(({ effect }) => effect === "deny"),
        allows: matching.filter(({ effect }) => effect === "allow"),
      };
      this.#policies.set(method, policy);
    }
    return policy;
  }

  decide(call: AuthCall): Verdict | Promise<Verdict> {
    const context = call.contextValues.get(authContextKey);
    const policy = this.policyOf(call.method);
    return (
      (policy.proto && decideByProto(policy.proto, context, call)) ??
      decideByRules(policy, context) ??
      this.#decideByCallback(context, call)
    );
  }

  /** Who may call a method, without a call. */
  explain(method: DescMethod): AccessRule {
    const { proto, ...rules } = this.policyOf(method);
    const byProto = proto && explainProto(proto);
    return byProto ?? explainRules(rules, this.#explainRest());
  }

  #explainRest(): AccessRule {
    if (this.#authorize) {
      return { access: "decided", who: "whom authorize() lets pass", why: "authorize" };
    }
    return this.#defaultPolicy === "allow"
      ? { access: "anybody", who: "anybody", why: "defaultPolicy" }
      : { access: "nobody", who: "nobody", why: "defaultPolicy" };
  }

  #decideByCallback(context: AuthContext | undefined, call: AuthCall): Verdict | Promise<Verdict> {
    if (!this.#authorize) return this.#decideByDefault(context);
    const conclude = (answer: boolean | undefined): Verdict => {
      if (answer === undefined) return this.#decideByDefault(context);
      if (answer === true) return allow("authorize", "authorize() returned true");
      return refuse("authorize", `authorize() returned ${show(answer)}`, !context);
    };
    const fail = (error: unknown): Verdict => ({
      ...refuse("authorize", "authorize() threw", !context),
      error,
    });
    try {
      const answer = this.#authorize(context, call);
      return answer instanceof Promise ? answer.then(conclude).catch(fail) : conclude(answer);
    } catch (error) {
      return fail(error);
    }
  }

  #decideByDefault(context: AuthContext | undefined): Verdict {
    if (this.#defaultPolicy === "allow") return allow("defaultPolicy", "nothing speaks against it");
    return refuse("defaultPolicy", "no rule allows it", !context);
  }
}
