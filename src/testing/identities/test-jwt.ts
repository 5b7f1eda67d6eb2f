import jwt, { type Algorithm, type SignOptions } from "jsonwebtoken";
import { checkKeys } from "../../core/internal.ts";
import type { TestKeypair } from "./test-keypair.ts";

export interface TestJwtOptions {
  /** A pair of `generateTestKeypair()`, or an HMAC secret. */
  readonly key: TestKeypair | string | Uint8Array;
  /** Default: the pair's, or HS256 for a secret. */
  readonly algorithm?: Exclude<Algorithm, "none">;
  /** Seconds from now; negative for an expired token, null for one without `exp`. Default 3600. */
  readonly expiresInSec?: number | null;
  /** Default: the pair's. */
  readonly kid?: string;
}

/** A signed token. Its subject is `test-user` unless the claims say otherwise; `iat` is now. */
export function createTestJwt(claims: object, options: TestJwtOptions): string {
  checkKeys("createTestJwt()", options, ["key", "algorithm", "expiresInSec", "kid"]);
  const { key, expiresInSec = 3600 } = options;
  const pair = typeof key === "object" && "privateKey" in key ? key : undefined;
  const { algorithm = pair?.algorithm ?? "HS256", kid = pair?.kid } = options;
  const now = Math.floor(Date.now() / 1000);
  const payload = {
    sub: "test-user",
    iat: now,
    ...(expiresInSec === null ? undefined : { exp: now + expiresInSec }),
    ...claims,
  };
  const secret =
    pair?.privateKey ?? (typeof key === "string" ? key : Buffer.from(key as Uint8Array));
  const signing: SignOptions = { algorithm, ...(kid === undefined ? undefined : { keyid: kid }) };
  return jwt.sign(payload, secret, signing);
}
