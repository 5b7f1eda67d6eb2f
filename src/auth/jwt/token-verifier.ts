import jwt, { type JwtPayload, type VerifyOptions } from "jsonwebtoken";
import { ConnectumError } from "../../core/index.ts";
import { checkInteger, show } from "../../core/internal.ts";
import { Refusal } from "../auth-failure.ts";
import { type KeySource, type KeySourceOptions, resolveKeySource } from "./key-source.ts";
import type { VerificationKey } from "./verification-key.ts";

export interface TokenRules {
  /** The `iss` a token must have, or one of them. Default: not checked. */
  readonly issuer?: string | readonly string[];
  /** One of these must be in the token's `aud`. Default: not checked. */
  readonly audience?: string | readonly string[];
  /** How far clocks may differ, in seconds, for `exp`, `nbf` and `maxTokenAge`. Default 0. */
  readonly clockToleranceSec?: number;
  /** Longest time since `iat`, in seconds or like `"15m"`; tokens without `iat` are refused then. */
  readonly maxTokenAge?: number | string;
  /** Longer tokens are refused unread, in characters. Default 16 384. */
  readonly maxTokenLength?: number;
}

export const tokenRuleKeys = [
  "issuer",
  "audience",
  "clockToleranceSec",
  "maxTokenAge",
  "maxTokenLength",
] as const;

/** Verifies tokens of one key source. jsonwebtoken does the work; here is what it lets through. */
export class TokenVerifier {
  readonly #source: KeySource;
  readonly #options: VerifyOptions & { readonly complete: true };
  readonly #maxLength: number;

  constructor(where: string, keys: KeySourceOptions, rules: TokenRules) {
    const { clockToleranceSec = 0, maxTokenAge, maxTokenLength = 16_384 } = rules;
    checkInteger("clockToleranceSec", clockToleranceSec, 0, 3_600);
    checkInteger("maxTokenLength", maxTokenLength, 64, 1_048_576);
    if (maxTokenAge !== undefined) checkMaxAge(maxTokenAge);
    this.#source = resolveKeySource(where, keys);
    this.#maxLength = maxTokenLength;
    this.#options = {
      complete: true,
      clockTolerance: clockToleranceSec,
      issuer: namesOf("issuer", rules.issuer) as [string, ...string[]] | undefined,
      audience: namesOf("audience", rules.audience) as [string, ...string[]] | undefined,
      maxAge: maxTokenAge,
    };
  }

  /** The payload of a good token, frozen to its depths. Throws for any other. */
  verify(token: string): JwtPayload | Promise<JwtPayload> {
    if (token.length > this.#maxLength) {
      throw new Refusal(`a token of ${token.length} characters, ${this.#maxLength} at most`);
    }
    if ("key" in this.#source) return this.#verify(token, this.#source.key);
    const key = this.#source.find(headerOf(token));
    if (key instanceof Promise) return key.then((found) => this.#verify(token, found));
    return this.#verify(token, key);
  }

  #verify(token: string, { key, algorithms }: VerificationKey): JwtPayload {
    const { header, payload } = jwt.verify(token, key, { ...this.#options, algorithms });
    // RFC 7515, 4.1.11: whoever does not know a critical extension must refuse.
    if ("crit" in header) throw new Refusal("the token has critical extensions");
    if (typeof payload !== "object" || payload === null || Array.isArray(payload)) {
      throw new Refusal("the token's payload is no JSON object");
    }
    this.#checkIssuedAt(payload);
    return deepFreeze(payload);
  }

  /** A token from the future would outlive `maxTokenAge`. */
  #checkIssuedAt({ iat }: JwtPayload): void {
    const { maxAge, clockTolerance = 0 } = this.#options;
    if (maxAge === undefined || iat === undefined) return;
    if (iat > Date.now() / 1000 + clockTolerance + 1) {
      throw new Refusal("the token was issued in the future");
    }
  }
}

function headerOf(token: string) {
  const header: unknown = jwt.decode(token, { complete: true })?.header;
  const { alg, kid } = (header ?? {}) as { alg?: unknown; kid?: unknown };
  if (typeof alg !== "string") throw new Refusal("jwt malformed");
  if (kid !== undefined && typeof kid !== "string") throw new Refusal("the key id is no string");
  return { alg, kid };
}

function namesOf(option: string, value: string | readonly string[] | undefined) {
  if (value === undefined) return undefined;
  const names: readonly unknown[] = typeof value === "string" ? [value] : value;
  const isGood =
    Array.isArray(names) &&
    names.length > 0 &&
    names.every((name) => typeof name === "string" && name !== "");
  if (isGood) return [...names];
  throw new ConnectumError(
    "INVALID_OPTION",
    `${option} must be a non-empty string or a list of them, got ${show(value)}`,
  );
}

function checkMaxAge(value: number | string): void {
  const isGood =
    typeof value === "number"
      ? Number.isInteger(value) && value > 0
      : /^[1-9]\d{0,6} ?[smhdw]$/.test(value);
  if (isGood) return;
  throw new ConnectumError(
    "INVALID_OPTION",
    `maxTokenAge must be whole seconds above 0, or text like "15m", got ${show(value)}`,
  );
}

function deepFreeze<T extends object>(value: T): T {
  for (const inner of Object.values(value)) {
    if (typeof inner === "object" && inner !== null) deepFreeze(inner);
  }
  return Object.freeze(value);
}
