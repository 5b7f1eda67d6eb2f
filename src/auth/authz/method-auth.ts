import { type DescMethod, type DescService, getOption, isFieldSet } from "@bufbuild/protobuf";
import { ConnectumError } from "../../core/index.ts";
import { methodName, show } from "../../core/internal.ts";
import {
  type AuthRequirements,
  MethodAuthSchema,
  method_auth,
  ServiceAuthSchema,
  service_auth,
} from "../gen/connectum/auth/v1/options_pb.js";
import type { Requirements } from "./requirements.ts";

type Policy = "allow" | "deny";

/** What the proto options of a method and its service say together. */
export interface ResolvedMethodAuth {
  readonly public: boolean;
  readonly internal: boolean;
  readonly requires?: Requirements;
  readonly policy?: Policy;
}

/** What one level says itself. */
interface Level {
  readonly public: boolean | undefined;
  readonly internal: boolean | undefined;
  readonly requires: Requirements | undefined;
  readonly policy: Policy | undefined;
}

const resolved = new WeakMap<DescMethod, ResolvedMethodAuth>();

/**
 * Who may call a method by its proto options. The method beats its service field by field, and where
 * both can be read two ways the stricter reading holds: `internal` beats `public`, a method's `requires`
 * or `policy: "deny"` cancels an inherited `public` and inherited `requires`. Throws INVALID_OPTION,
 * naming the method, for options that contradict each other.
 */
export function resolveMethodAuth(method: DescMethod): ResolvedMethodAuth {
  let auth = resolved.get(method);
  if (!auth) {
    auth = resolve(method);
    resolved.set(method, auth);
  }
  return auth;
}

/** The methods anybody may call, as `pkg.Service/Method`: what an authenticator may skip. */
export function getPublicMethods(services: readonly DescService[]): string[] {
  return namesWhere(services, (auth) => auth.public);
}

/** The methods only services may call, as `pkg.Service/Method`. */
export function getInternalMethods(services: readonly DescService[]): string[] {
  return namesWhere(services, (auth) => auth.internal);
}

function namesWhere(
  services: readonly DescService[],
  isWanted: (auth: ResolvedMethodAuth) => boolean,
): string[] {
  return services
    .flatMap(({ methods }) => methods)
    .filter((method) => isWanted(resolveMethodAuth(method)))
    .map(methodName);
}

function resolve(method: DescMethod): ResolvedMethodAuth {
  const name = methodName(method);
  const own = methodLevel(method, name);
  const inherited = serviceLevel(method.parent, name);
  if (own.policy === "deny") return { public: false, internal: false, policy: "deny" };
  const internal = own.internal ?? inherited.internal ?? false;
  const isOpen = own.requires === undefined && (own.public ?? inherited.public ?? false);
  if (isOpen && !internal) return { public: true, internal: false };
  const requires = own.requires ?? inherited.requires;
  const policy = own.policy ?? inherited.policy;
  return {
    public: false,
    internal,
    ...(requires === undefined ? undefined : { requires }),
    ...(policy === undefined ? undefined : { policy }),
  };
}

function methodLevel(method: DescMethod, name: string): Level {
  const auth = getOption(method, method_auth);
  const { field } = MethodAuthSchema;
  return checkLevel(name, "method_auth", {
    public: isFieldSet(auth, field.public) ? auth.public : undefined,
    internal: isFieldSet(auth, field.internal) ? auth.internal : undefined,
    requires: toRequirements(auth.requires),
    policy: checkPolicy(name, isFieldSet(auth, field.policy) ? auth.policy : undefined),
  });
}

function serviceLevel(service: DescService, name: string): Level {
  const auth = getOption(service, service_auth);
  const { field } = ServiceAuthSchema;
  return checkLevel(name, "service_auth", {
    public: isFieldSet(auth, field.public) ? auth.public : undefined,
    internal: isFieldSet(auth, field.internal) ? auth.internal : undefined,
    requires: toRequirements(auth.defaultRequires),
    policy: checkPolicy(
      name,
      isFieldSet(auth, field.defaultPolicy) ? auth.defaultPolicy : undefined,
    ),
  });
}

function toRequirements(requires: AuthRequirements | undefined): Requirements | undefined {
  return requires && { roles: requires.roles, scopes: requires.scopes };
}

function checkPolicy(name: string, policy: string | undefined): Policy | undefined {
  if (policy === undefined || policy === "allow" || policy === "deny") return policy;
  throw new ConnectumError(
    "INVALID_OPTION",
    `${name}: policy must be "allow" or "deny", got ${show(policy)}`,
  );
}

function checkLevel(name: string, option: string, level: Level): Level {
  const isContradiction = level.public && (level.internal || level.requires);
  if (!isContradiction) return level;
  throw new ConnectumError(
    "INVALID_OPTION",
    `${name}: ${option} says public together with ${level.internal ? "internal" : "requires"}; ` +
      "remove one of them",
  );
}
