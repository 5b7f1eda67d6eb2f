import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import type { Logger } from "../../core/index.ts";
import {
  checkFunction,
  infrastructureMethods,
  methodMatcher,
  methodName,
  silentLogger,
} from "../../core/internal.ts";
import { authContextKey } from "../auth-context.ts";
import type { AuthCall } from "../authenticator.ts";
import { createGated, explainKey } from "../gated.ts";
import type { AuthzEngine } from "./authz-engine.ts";
import type { Verdict } from "./verdict.ts";

/** One decision, for an audit. Nothing of it but the outcome reaches the client. */
export interface AuthzDecision {
  /** `pkg.Service/Method`. */
  readonly method: string;
  /** Undefined for an anonymous caller. */
  readonly subject: string | undefined;
  readonly allowed: boolean;
  /** A rule's name, or `public`, `internal`, `requires`, `policy`, `authorize`, `defaultPolicy`. */
  readonly rule: string;
  /** For example `needs role admin`. */
  readonly reason: string;
}

export interface AuthzCommonOptions {
  /**
   * Methods anybody may call, decided by nobody. Default `grpc.health.v1.Health/*`,
   * `grpc.reflection.*`; a list of your own replaces these.
   */
  readonly skipMethods?: readonly string[];
  /** Hears of every decision. What it throws is logged; the decision stands. */
  readonly onDecision?: (decision: AuthzDecision) => void;
}

export const authzCommonKeys = ["skipMethods", "onDecision"] as const;

/** An interceptor that lets pass what the engine allows, as a gate before the body is read. */
export function createEnforcer(engine: AuthzEngine, options: AuthzCommonOptions): Interceptor {
  const { skipMethods = infrastructureMethods, onDecision } = options;
  const isSkipped = methodMatcher("skipMethods", skipMethods);
  if (onDecision !== undefined) checkFunction("onDecision", onDecision);
  let logger: Logger = silentLogger;

  const conclude = (verdict: Verdict, call: AuthCall): void => {
    const { allowed, rule, reason, needsIdentity, error } = verdict;
    const subject = call.contextValues.get(authContextKey)?.subject;
    const decision = { method: methodName(call.method), subject, allowed, rule, reason };
    try {
      onDecision?.(decision);
    } catch (err) {
      logger.error({ err }, "onDecision threw");
    }
    if (allowed) return;
    logger.info(error === undefined ? decision : { ...decision, err: error }, "a call was refused");
    if (error instanceof ConnectError) throw error;
    throw needsIdentity
      ? new ConnectError("Authentication required", Code.Unauthenticated)
      : new ConnectError("Access denied", Code.PermissionDenied);
  };

  return createGated({
    gate(call) {
      if (isSkipped(call.method)) return;
      const verdict = engine.decide(call);
      if (!(verdict instanceof Promise)) return conclude(verdict, call);
      return verdict.then((settled) => conclude(settled, call));
    },
    attach(context) {
      logger = context.logger;
      for (const { methods } of context.services) {
        for (const method of methods) if (!isSkipped(method)) engine.policyOf(method);
      }
    },
    [explainKey]: {
      authorizes: (method) =>
        isSkipped(method)
          ? { access: "anybody", who: "anybody", why: "skipMethods" }
          : engine.explain(method),
    },
  });
}
