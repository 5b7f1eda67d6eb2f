import { Code, ConnectError } from "@connectrpc/connect";
import { type AuthContext, toAuthContext } from "./auth-context.ts";
import { decodeHeaderText, encodeHeaderText } from "./header-text.ts";

/** Every header that begins so is removed from a request before it is authenticated. */
export const AUTH_HEADER_PREFIX = "x-auth-";

/** The headers that carry an identity between services. */
export const AUTH_HEADERS = {
  subject: "x-auth-subject",
  type: "x-auth-type",
  name: "x-auth-name",
  roles: "x-auth-roles",
  scopes: "x-auth-scopes",
  claims: "x-auth-claims",
} as const;

type Field = keyof typeof AUTH_HEADERS;

/** Longest value of each header, in characters as they are sent. */
const limits: Readonly<Record<Field, number>> = {
  subject: 512,
  type: 128,
  name: 256,
  roles: 8192,
  scopes: 8192,
  claims: 8192,
};

const fields = Object.keys(AUTH_HEADERS) as Field[];

/**
 * Writes an identity into headers, in place of any that is there. Throws `resource_exhausted` for a
 * value over its limit and `invalid_argument` for one that is no text or JSON; nothing is written then.
 */
export function setAuthHeaders(header: Headers, context: AuthContext): void {
  const values = toAuthHeaderValues(context);
  for (const field of fields) {
    const value = values[field];
    if (value === undefined) header.delete(AUTH_HEADERS[field]);
    else header.set(AUTH_HEADERS[field], value);
  }
}

/** The values of the headers of an identity, by field. Throws like {@link setAuthHeaders}. */
export function toAuthHeaderValues(context: AuthContext): Partial<Record<Field, string>> {
  const { subject, type, name, roles, scopes, claims } = context;
  const texts: Partial<Record<Field, string>> = {
    subject,
    type,
    name,
    roles: roles.length > 0 ? JSON.stringify(roles) : undefined,
    scopes: scopes.length > 0 ? JSON.stringify(scopes) : undefined,
    claims: Object.keys(claims).length > 0 ? jsonOf(claims) : undefined,
  };
  const values: Partial<Record<Field, string>> = {};
  for (const field of fields) {
    const text = texts[field];
    if (text === undefined) continue;
    const value = encodeHeaderText(text);
    if (value === undefined) {
      throw new ConnectError(`${AUTH_HEADERS[field]} is no valid text`, Code.InvalidArgument);
    }
    if (value.length > limits[field]) {
      throw new ConnectError(
        `${AUTH_HEADERS[field]} would have ${value.length} characters, ${limits[field]} at most`,
        Code.ResourceExhausted,
      );
    }
    values[field] = value;
  }
  return values;
}

/**
 * Reads the identity that {@link setAuthHeaders} has written; `undefined` without a subject. It says
 * nothing of whether the sender may be believed. Throws `unauthenticated` for a value that is too long
 * or malformed.
 */
export function parseAuthHeaders(header: Headers): AuthContext | undefined {
  const { subject, type, name, roles, scopes, claims } = AUTH_HEADERS;
  if (!header.has(subject)) return undefined;
  const text = (field: Field) => readText(header, field);
  try {
    return toAuthContext(
      {
        subject: text("subject") ?? "",
        type: header.has(type) ? text("type") : undefined,
        name: header.has(name) ? text("name") : undefined,
        roles: header.has(roles) ? JSON.parse(text("roles") ?? "") : undefined,
        scopes: header.has(scopes) ? JSON.parse(text("scopes") ?? "") : undefined,
        claims: header.has(claims) ? claimsOf(text("claims") ?? "") : undefined,
      },
      "gateway",
    );
  } catch (cause) {
    const message = "x-auth headers are malformed";
    throw new ConnectError(message, Code.Unauthenticated, undefined, undefined, cause);
  }
}

function readText(header: Headers, field: Field): string | undefined {
  const value = header.get(AUTH_HEADERS[field]);
  if (value === null) return undefined;
  if (value.length > limits[field]) throw new TypeError(`${AUTH_HEADERS[field]} is too long`);
  return decodeHeaderText(value);
}

/** Claims as an object; a list or a bare value is none. */
export function claimsOf(json: string): Record<string, unknown> {
  const claims: unknown = JSON.parse(json);
  if (typeof claims === "object" && claims !== null && !Array.isArray(claims)) {
    return claims as Record<string, unknown>;
  }
  throw new TypeError("claims must be a JSON object");
}

function jsonOf(claims: Readonly<Record<string, unknown>>): string {
  try {
    return JSON.stringify(claims);
  } catch (cause) {
    const message = "claims have no JSON form";
    throw new ConnectError(message, Code.InvalidArgument, undefined, undefined, cause);
  }
}
