import type { DescMethod } from "@bufbuild/protobuf";
import type { Interceptor } from "@connectrpc/connect";
import type { InterceptorExtension, Server } from "../../core/index.ts";
import {
  interceptorExtension,
  methodName,
  mountedMethods,
  wrappedInterceptors,
} from "../../core/internal.ts";
import { type Explanation, explainKey } from "../gated.ts";
import type { AccessRule } from "./access-rule.ts";

/** Who may call one method. */
export interface AuthzExplanation extends AccessRule {
  /** `pkg.Service/Method`. */
  readonly method: string;
  /** Kinds of the authenticators that check its callers, in their order; empty if none does. */
  readonly authenticatedBy: readonly string[];
}

/**
 * Who may call each method of a server and why, sorted by method. Freezes the routes. Throws
 * INVALID_OPTION for proto options that contradict each other.
 */
export function explainAuthz(server: Server): AuthzExplanation[] {
  const rows = mountedMethods("explainAuthz()", server).map(({ method, interceptors }) => {
    const explanations = interceptors.flatMap((interceptor) => explanationsOf(interceptor, method));
    const authenticatedBy = explanations.flatMap(({ authenticates }) => {
      const kind = authenticates?.(method);
      return kind === undefined ? [] : [kind];
    });
    const rules = explanations.flatMap(({ authorizes }) =>
      authorizes ? [authorizes(method)] : [],
    );
    return { method: methodName(method), ...combine(rules, authenticatedBy), authenticatedBy };
  });
  return rows.sort((a, b) => (a.method < b.method ? -1 : 1));
}

function explanationsOf(interceptor: Interceptor, method: DescMethod): Explanation[] {
  const extension = interceptorExtension(interceptor) as
    | (InterceptorExtension & { [explainKey]?: Explanation })
    | undefined;
  const own = extension?.[explainKey];
  const wrapped = extension?.[wrappedInterceptors]?.(method) ?? [];
  return [...(own ? [own] : []), ...wrapped.flatMap((inner) => explanationsOf(inner, method))];
}

/** All rules must let a call pass; the strictest names the access. */
function combine(rules: readonly AccessRule[], authenticatedBy: readonly string[]): AccessRule {
  const [first, ...others] = [...rules].sort(
    (a, b) => strictness.indexOf(b.access) - strictness.indexOf(a.access),
  );
  const open = first === undefined || first.access === "anybody";
  if (open && authenticatedBy.length > 0) {
    const why = [...rules.map(({ why }) => why), `authenticated by ${authenticatedBy.join(", ")}`];
    return { access: "authenticated", who: "any identity", why: why.join("; ") };
  }
  if (!first) return { access: "anybody", who: "anybody", why: "no authorization is mounted" };
  const rest = others.filter(({ access }) => access !== "anybody");
  return {
    access: first.access,
    who: [first, ...rest].map(({ who }) => who).join(" and "),
    why: [first, ...rest].map(({ why }) => why).join("; "),
  };
}

const strictness = ["anybody", "authenticated", "decided", "requirements", "internal", "nobody"];
