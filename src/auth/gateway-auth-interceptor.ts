import type { Interceptor } from "@connectrpc/connect";
import { checkKeys, checkList } from "../core/internal.ts";
import type { AuthContextInit } from "./auth-context.ts";
import { Refusal } from "./auth-failure.ts";
import { AUTH_HEADERS, claimsOf } from "./auth-headers.ts";
import {
  type AuthenticationOptions,
  authenticationKeys,
  createAuthenticator,
} from "./authenticator.ts";
import { decodeHeaderText } from "./header-text.ts";
import { checkHeaderName, resolveTrustSource, type TrustSource } from "./trust-source.ts";

/** The headers in which a gateway says who calls. */
export interface GatewayHeaderMapping {
  readonly subject: string;
  readonly name?: string;
  /** A JSON list, or values with commas between. */
  readonly roles?: string;
  /** A JSON list, or values with spaces between. */
  readonly scopes?: string;
  /** A JSON object. */
  readonly claims?: string;
  readonly type?: string;
}

export interface GatewayAuthOptions extends AuthenticationOptions {
  /**
   * Values may be percent-encoded UTF-8. The headers are gone from the call afterwards, in every
   * outcome. Default: the `x-auth-*` headers of `AUTH_HEADERS`.
   */
  readonly headerMapping?: GatewayHeaderMapping;
  /** How the gateway is recognised. A request that does not come from it is refused. */
  readonly trustSource: TrustSource;
  /** Further headers of the gateway that no handler may see. Default none. */
  readonly stripHeaders?: readonly string[];
}

type Field = keyof GatewayHeaderMapping;
type Trusted = { readonly values: ReadonlyMap<Field, string> };

const fields: readonly Field[] = ["subject", "name", "roles", "scopes", "claims", "type"];

/** Authenticates calls by the headers of a gateway that has authenticated them already. */
export function createGatewayAuthInterceptor(options: GatewayAuthOptions): Interceptor {
  checkKeys("createGatewayAuthInterceptor()", options, [
    ...authenticationKeys,
    "headerMapping",
    "trustSource",
    "stripHeaders",
  ]);
  const { headerMapping = AUTH_HEADERS, stripHeaders = [] } = options;
  const { header: trustHeader, isTrusted } = resolveTrustSource(options.trustSource);
  const names = resolveMapping(headerMapping);
  checkList("stripHeaders", stripHeaders);
  const stripped = stripHeaders.map((name) => checkHeaderName("stripHeaders", name));
  return createAuthenticator<Trusted | undefined>(options, {
    type: "gateway",
    ownHeaders: [...names.values(), ...(trustHeader ? [trustHeader] : []), ...stripped],
    extract(call, own) {
      const trustValue = trustHeader === undefined ? undefined : own.get(trustHeader);
      if (!isTrusted(call, trustValue)) {
        throw new Refusal("not from the gateway", "Untrusted request source");
      }
      const values = new Map<Field, string>();
      for (const [field, name] of names) {
        const value = own.get(name);
        if (value !== undefined && value !== "") values.set(field, decodeHeaderText(value));
      }
      return values.has("subject") ? { values } : undefined;
    },
    verify: ({ values }) => toContext(values),
  });
}

function resolveMapping(mapping: GatewayHeaderMapping): ReadonlyMap<Field, string> {
  checkKeys("headerMapping", mapping, fields);
  const names = new Map<Field, string>();
  for (const field of fields) {
    const name = mapping[field];
    if (name === undefined && field !== "subject") continue;
    names.set(field, checkHeaderName(`headerMapping.${field}`, name as string));
  }
  return names;
}

function toContext(values: ReadonlyMap<Field, string>): AuthContextInit {
  const claims = values.get("claims");
  return {
    subject: values.get("subject") ?? "",
    name: values.get("name"),
    type: values.get("type"),
    roles: listOf(values.get("roles"), ","),
    scopes: listOf(values.get("scopes"), " "),
    claims: claims === undefined ? undefined : claimsOf(claims),
  };
}

function listOf(value: string | undefined, separator: string): string[] {
  if (value === undefined) return [];
  if (value.startsWith("[")) return JSON.parse(value);
  return value
    .split(separator)
    .map((item) => item.trim())
    .filter((item) => item !== "");
}
