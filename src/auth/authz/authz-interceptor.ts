import type { Interceptor } from "@connectrpc/connect";
import { checkKeys } from "../../core/internal.ts";
import { type Authorize, AuthzEngine, type AuthzPolicy } from "./authz-engine.ts";
import type { AuthzRule } from "./authz-rule.ts";
import { type AuthzCommonOptions, authzCommonKeys, createEnforcer } from "./enforcer.ts";

export interface AuthzOptions extends AuthzCommonOptions {
  /**
   * Deny rules come before allow rules; within an effect the first decides whose method matches and
   * whose requirements are met. An allow rule that matches and is not met refuses, whatever
   * `authorize` or the default policy says. Default none.
   */
  readonly rules?: readonly AuthzRule[];
  /** Asked where no rule decides. Default: the default policy decides. */
  readonly authorize?: Authorize;
  /** For calls nothing else decides. Default `deny`. */
  readonly defaultPolicy?: AuthzPolicy;
}

/**
 * Lets calls pass by rules. Mount it after the authenticators. A refused caller gets `unauthenticated`
 * if it has no identity and one is needed, else `permission_denied`; the reason goes to `onDecision`
 * and the log.
 */
export function createAuthzInterceptor(options: AuthzOptions = {}): Interceptor {
  checkKeys("createAuthzInterceptor()", options, [
    ...authzCommonKeys,
    "rules",
    "authorize",
    "defaultPolicy",
  ]);
  const { rules = [], authorize, defaultPolicy = "deny" } = options;
  const engine = new AuthzEngine({ rules, authorize, defaultPolicy, readsProto: false });
  return createEnforcer(engine, options);
}
