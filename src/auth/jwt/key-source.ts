import type { KeyObject } from "node:crypto";
import { ConnectumError } from "../../core/index.ts";
import { checkKeys, checkList } from "../../core/internal.ts";
import { type JwksOptions, RemoteKeys, type TokenHeader } from "./remote-keys.ts";
import {
  type JwtAlgorithm,
  type PublicKeyInput,
  publicKey,
  secretKey,
  type VerificationKey,
} from "./verification-key.ts";

/** Where the keys of one issuer come from: exactly one of `jwksUri`, `publicKey` and `secret`. */
export interface KeySourceOptions {
  /** URL of the issuer's key set. Fetched at the first token; keys rotate without a restart. */
  readonly jwksUri?: string;
  /** How the key set of `jwksUri` is fetched and kept. */
  readonly jwks?: JwksOptions;
  /** PEM (public key or certificate), `KeyObject` or JWK. RSA from 2048 bits, P-256, P-384, P-521. */
  readonly publicKey?: PublicKeyInput;
  /** HMAC secret, at least as long as the hash: 32 bytes for HS256. */
  readonly secret?: string | Uint8Array | KeyObject;
  /**
   * Accepted algorithms. Default: for a secret HS256; for an RSA key RS and PS with 256, 384 and 512;
   * for an EC key its curve's; for a key set each key's own. HMAC and signatures never mix, and
   * `none` is never accepted.
   */
  readonly algorithms?: readonly JwtAlgorithm[];
}

export const keySourceKeys = ["jwksUri", "jwks", "publicKey", "secret", "algorithms"] as const;

/** Finds the key for a token. */
export type KeySource =
  | { readonly key: VerificationKey }
  | { readonly find: (header: TokenHeader) => VerificationKey | Promise<VerificationKey> };

/** Throws INVALID_OPTION unless the options name exactly one source that can work. */
export function resolveKeySource(where: string, options: KeySourceOptions): KeySource {
  const { jwksUri, jwks, publicKey: key, secret, algorithms } = options;
  const given = Object.entries({ jwksUri, publicKey: key, secret })
    .filter(([, value]) => value !== undefined)
    .map(([name]) => name);
  if (given.length !== 1) {
    throw new ConnectumError(
      "INVALID_OPTION",
      `${where} takes exactly one of jwksUri, publicKey and secret, got ${given.join(" and ") || "none"}`,
    );
  }
  if (algorithms !== undefined) checkList("algorithms", algorithms);
  if (jwks !== undefined && jwksUri === undefined) {
    throw new ConnectumError("INVALID_OPTION", `${where} takes jwks only with jwksUri`);
  }
  if (jwksUri !== undefined) {
    const keys = new RemoteKeys(jwksUri, jwks, algorithms);
    return { find: (header) => keys.find(header) };
  }
  if (secret !== undefined) return { key: secretKey(secret, algorithms) };
  return { key: publicKey(key as PublicKeyInput, algorithms) };
}

/** Checks the keys of a bag that holds nothing but a key source. */
export function checkKeySourceKeys(where: string, bag: object): void {
  checkKeys(where, bag, keySourceKeys);
}
