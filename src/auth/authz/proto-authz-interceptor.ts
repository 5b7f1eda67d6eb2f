import type { Interceptor } from "@connectrpc/connect";
import { checkKeys } from "../../core/internal.ts";
import { AuthzEngine } from "./authz-engine.ts";
import type { AuthzOptions } from "./authz-interceptor.ts";
import { authzCommonKeys, createEnforcer } from "./enforcer.ts";

/** `rules`, `authorize` and `defaultPolicy` decide for methods whose proto says nothing. */
export interface ProtoAuthzOptions extends AuthzOptions {}

/**
 * Lets calls pass by the options of `connectum/auth/v1/options.proto`. In this order: public passes,
 * internal needs an identity of an internal authenticator, requires, policy, then the rules. Options
 * that contradict each other make `start()` reject, naming the method.
 */
export function createProtoAuthzInterceptor(options: ProtoAuthzOptions = {}): Interceptor {
  checkKeys("createProtoAuthzInterceptor()", options, [
    ...authzCommonKeys,
    "rules",
    "authorize",
    "defaultPolicy",
  ]);
  const { rules = [], authorize, defaultPolicy = "deny" } = options;
  const engine = new AuthzEngine({ rules, authorize, defaultPolicy, readsProto: true });
  return createEnforcer(engine, options);
}
