import type { IncomingHttpHeaders } from "node:http";
import { cors as protocol } from "@connectrpc/connect";
import { checkInteger, checkKeys, show } from "../check-options.ts";
import { ConnectumError } from "../errors.ts";
import type { HeaderFields } from "../rpc/rpc-headers.ts";

/** Which pages of other origins may call, and what they may send and read. */
export interface CorsOptions {
  /**
   * `"*"` is every origin. Otherwise origins as `"https://app.example.com"`, where `*` stands for one
   * label or more as in `"https://*.example.com"`; regular expressions, which must match the whole
   * origin; or a function. Required.
   */
  readonly origins: "*" | ReadonlyArray<string | RegExp> | ((origin: string) => boolean);
  /** Request headers of your own, beside those of the protocols. Default none. */
  readonly allowedHeaders?: readonly string[];
  /**
   * Response headers and trailers of your own that pages may read, beside those of the protocols;
   * the `trailer-` form Connect gives a trailer is added. Default none.
   */
  readonly exposedHeaders?: readonly string[];
  /** Whether pages may send cookies. Needs a list of origins or a function. Default false. */
  readonly credentials?: boolean;
  /** How long a browser may remember the answer to a preflight. Default 7 200, what browsers keep. */
  readonly maxAgeSeconds?: number;
}

/** Answers for one request; undefined where the page may not call, or where none asks. */
export interface Cors {
  /** The fields that let a page read the answer. */
  responseFields(headers: HeaderFields | IncomingHttpHeaders): HeaderFields | undefined;
  /** The fields of the answer to a preflight; undefined when the request is none. */
  preflightFields(
    method: string,
    headers: HeaderFields | IncomingHttpHeaders,
  ): HeaderFields | undefined;
}

const OPTION_NAMES = [
  "origins",
  "allowedHeaders",
  "exposedHeaders",
  "credentials",
  "maxAgeSeconds",
] as const satisfies ReadonlyArray<keyof CorsOptions>;

const DAY_SECONDS = 86_400;

/** Throws INVALID_OPTION for origins that can never match and for cookies from everywhere. */
export function createCors(options: CorsOptions): Cors {
  checkKeys("cors", options, OPTION_NAMES);
  const {
    origins,
    allowedHeaders = [],
    exposedHeaders = [],
    credentials = false,
    maxAgeSeconds = 7_200,
  } = options;
  if (origins === "*" && credentials) {
    throw new ConnectumError(
      "INVALID_OPTION",
      'cors.credentials with cors.origins "*" would let every site act for its visitors; list the origins',
    );
  }
  checkInteger("cors.maxAgeSeconds", maxAgeSeconds, 0, DAY_SECONDS);
  checkHeaderNames("cors.allowedHeaders", allowedHeaders);
  checkHeaderNames("cors.exposedHeaders", exposedHeaders);
  const isAllowed = originTest(origins);
  const trailers = exposedHeaders.map((name) => `trailer-${name}`);
  const exposed = [...protocol.exposedHeaders, ...exposedHeaders, ...trailers].join(", ");
  const allowed = [...protocol.allowedHeaders, ...allowedHeaders].join(", ");

  const originFields = ({ origin }: HeaderFields | IncomingHttpHeaders) => {
    if (typeof origin !== "string") return undefined;
    if (origins === "*") return { "access-control-allow-origin": "*" };
    const fields: HeaderFields = { vary: "Origin" };
    if (!isAllowed(origin)) return fields;
    fields["access-control-allow-origin"] = origin;
    if (credentials) fields["access-control-allow-credentials"] = "true";
    return fields;
  };
  return {
    responseFields(headers) {
      const fields = originFields(headers);
      if (fields?.["access-control-allow-origin"]) {
        fields["access-control-expose-headers"] = exposed;
      }
      return fields;
    },
    preflightFields(method, headers) {
      if (method !== "OPTIONS" || !headers["access-control-request-method"]) return undefined;
      const fields = originFields(headers);
      if (fields?.["access-control-allow-origin"]) {
        fields["access-control-allow-methods"] = protocol.allowedMethods.join(", ");
        fields["access-control-allow-headers"] = allowed;
        fields["access-control-max-age"] = String(maxAgeSeconds);
      }
      return fields;
    },
  };
}

function originTest(origins: CorsOptions["origins"]): (origin: string) => boolean {
  if (origins === "*") return () => true;
  if (typeof origins === "function") return origins;
  if (!Array.isArray(origins)) {
    throw new ConnectumError(
      "INVALID_OPTION",
      `cors.origins must be "*", a list of origins or a function, got ${show(origins)}`,
    );
  }
  const patterns = origins.map((origin) =>
    origin instanceof RegExp ? anchored(origin) : toPattern(origin),
  );
  return (origin) => patterns.some((pattern) => pattern.test(origin));
}

const originPattern = /^[a-z][a-z0-9+.-]*:\/\/[^/\s?#@]+$|^null$/;

function toPattern(origin: string): RegExp {
  if (typeof origin !== "string" || !originPattern.test(origin)) {
    throw new ConnectumError(
      "INVALID_OPTION",
      `cors.origins takes origins as browsers send them, "https://app.example.com" without a path, got ${show(origin)}`,
    );
  }
  const escaped = origin.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", "[a-z0-9.-]+");
  return new RegExp(`^${escaped}$`);
}

/** An expression that matches somewhere within would let `https://example.com.evil.org` pass. */
function anchored({ source, flags }: RegExp): RegExp {
  return new RegExp(`^(?:${source})$`, flags.replace(/[gym]/g, ""));
}

const tokenPattern = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/i;

function checkHeaderNames(option: string, names: readonly string[]): void {
  for (const name of names) {
    if (typeof name === "string" && tokenPattern.test(name)) continue;
    throw new ConnectumError("INVALID_OPTION", `${option} takes header names, got ${show(name)}`);
  }
}
