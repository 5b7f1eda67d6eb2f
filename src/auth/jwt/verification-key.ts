import { createPublicKey, createSecretKey, type JsonWebKey, KeyObject } from "node:crypto";
import type { Algorithm } from "jsonwebtoken";
import { ConnectumError } from "../../core/index.ts";
import { show } from "../../core/internal.ts";

export type JwtAlgorithm = Exclude<Algorithm, "none">;

/** A key and what it may verify. Never both HMAC and a signature. */
export interface VerificationKey {
  readonly key: KeyObject;
  readonly algorithms: JwtAlgorithm[];
}

/** A PEM public key or certificate, a KeyObject, or a JWK. */
export type PublicKeyInput = string | KeyObject | JsonWebKey;

const hmac: readonly JwtAlgorithm[] = ["HS256", "HS384", "HS512"];
const rsa: readonly JwtAlgorithm[] = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"];
const rsaPss: readonly JwtAlgorithm[] = ["PS256", "PS384", "PS512"];
const ecByCurve: Readonly<Record<string, JwtAlgorithm>> = {
  prime256v1: "ES256",
  secp384r1: "ES384",
  secp521r1: "ES512",
};

/** Below this RSA keys are broken for money; RFC 7518 demands as much. */
const MIN_RSA_BITS = 2048;

/** An HMAC secret. Throws INVALID_OPTION for one shorter than the hash, or that is a public key. */
export function secretKey(
  secret: string | Uint8Array | KeyObject,
  algorithms: readonly string[] = ["HS256"],
): VerificationKey {
  const key = toSecret(secret);
  const chosen = choose(algorithms, hmac, "a secret");
  const needed = Math.max(...chosen.map((algorithm) => Number(algorithm.slice(2)) / 8));
  const size = key.symmetricKeySize ?? 0;
  if (size < needed) {
    throw new ConnectumError(
      "INVALID_OPTION",
      `secret must have at least ${needed} bytes for ${chosen.join(", ")}, got ${size}; ` +
        `make one with: openssl rand -base64 ${needed}`,
    );
  }
  return { key, algorithms: chosen };
}

/** A public key from an option. Throws INVALID_OPTION or UNSUPPORTED_KEY. */
export function publicKey(input: PublicKeyInput, algorithms?: readonly string[]): VerificationKey {
  const key = toPublicKey(input);
  const possible = algorithmsOf(key);
  return { key, algorithms: choose(algorithms ?? possible, possible, "this publicKey") };
}

/** What a public key can verify. Throws UNSUPPORTED_KEY when that is nothing. */
export function algorithmsOf(key: KeyObject): readonly JwtAlgorithm[] {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  if (type === "rsa" || type === "rsa-pss") {
    const bits = details?.modulusLength ?? 0;
    if (bits < MIN_RSA_BITS) {
      throw unsupported(`an RSA key needs ${MIN_RSA_BITS} bits or more, this one has ${bits}`);
    }
    if (type === "rsa") return rsa;
    const hash = details?.hashAlgorithm;
    return hash ? rsaPss.filter((name) => name.slice(2) === hash.slice(3)) : rsaPss;
  }
  if (type === "ec") {
    const algorithm = ecByCurve[details?.namedCurve ?? ""];
    if (algorithm) return [algorithm];
    throw unsupported(`no algorithm for curve ${details?.namedCurve}; use P-256, P-384 or P-521`);
  }
  throw unsupported(`${type} keys cannot be used: jsonwebtoken verifies RSA and EC, not EdDSA`);
}

export function unsupported(message: string): ConnectumError {
  return new ConnectumError("UNSUPPORTED_KEY", message);
}

function choose(
  wanted: readonly string[],
  possible: readonly JwtAlgorithm[],
  source: string,
): JwtAlgorithm[] {
  const wrong = wanted.find((algorithm) => !possible.includes(algorithm as JwtAlgorithm));
  if (wrong === undefined && wanted.length > 0) return [...wanted] as JwtAlgorithm[];
  throw new ConnectumError(
    "INVALID_OPTION",
    `algorithms must be some of ${possible.join(", ")} for ${source}, got ${show(wrong ?? wanted)}`,
  );
}

function toSecret(secret: string | Uint8Array | KeyObject): KeyObject {
  if (secret instanceof KeyObject) {
    if (secret.type === "secret") return secret;
    throw invalid("secret", `a ${secret.type} key; pass it as publicKey`);
  }
  if (typeof secret === "string") {
    if (secret.includes("-----BEGIN")) throw invalid("secret", "a PEM; pass it as publicKey");
    return createSecretKey(secret, "utf8");
  }
  if (secret instanceof Uint8Array) return createSecretKey(secret);
  throw invalid("secret", show(secret));
}

function toPublicKey(input: PublicKeyInput): KeyObject {
  if (input instanceof KeyObject) {
    if (input.type === "public") return input;
    throw invalid("publicKey", `a ${input.type} key; verifying needs the public one only`);
  }
  if (typeof input === "string") {
    if (input.includes("PRIVATE KEY-----")) {
      throw invalid("publicKey", "a private key; verifying needs the public one only");
    }
  } else if (typeof input !== "object" || input === null) {
    throw invalid("publicKey", show(input));
  } else if (input.kty === "oct") {
    throw unsupported('a JWK of kty "oct" is no public key; pass it as secret');
  } else if (input.d !== undefined) {
    throw invalid("publicKey", "a private JWK; verifying needs the public one only");
  }
  try {
    if (typeof input === "string") return createPublicKey(input);
    return createPublicKey({ key: input, format: "jwk" });
  } catch (cause) {
    throw new ConnectumError(
      "INVALID_OPTION",
      "publicKey must be a PEM public key or certificate, a KeyObject or a JWK",
      { cause },
    );
  }
}

function invalid(option: string, got: string): ConnectumError {
  return new ConnectumError("INVALID_OPTION", `${option} cannot be ${got}`);
}
