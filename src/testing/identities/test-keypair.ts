import { generateKeyPairSync, type JsonWebKey, randomUUID } from "node:crypto";
import { ConnectumError } from "../../core/index.ts";
import { checkKeys, show } from "../../core/internal.ts";

export type TestJwtAlgorithm =
  | "RS256"
  | "RS384"
  | "RS512"
  | "PS256"
  | "PS384"
  | "PS512"
  | "ES256"
  | "ES384"
  | "ES512";

export interface TestKeypairOptions {
  /** Default `RS256`. */
  readonly algorithm?: TestJwtAlgorithm;
  /** Default: a random one. */
  readonly kid?: string;
}

export interface TestKeypair {
  readonly algorithm: TestJwtAlgorithm;
  readonly kid: string;
  /** PEM. */
  readonly privateKey: string;
  /** PEM, for `createJwtAuthInterceptor({ publicKey })`. */
  readonly publicKey: string;
  /** As a key set publishes it. */
  readonly jwk: JsonWebKey;
}

const curves: Readonly<Record<string, string>> = { ES256: "P-256", ES384: "P-384", ES512: "P-521" };

/** A new pair of keys for tokens. RSA takes a tenth of a second, EC nothing. */
export function generateTestKeypair(options: TestKeypairOptions = {}): TestKeypair {
  checkKeys("generateTestKeypair()", options, ["algorithm", "kid"]);
  const { algorithm = "RS256", kid = randomUUID() } = options;
  if (!/^(RS|PS|ES)(256|384|512)$/.test(algorithm)) {
    throw new ConnectumError(
      "INVALID_OPTION",
      `algorithm must be RS, PS or ES with 256, 384 or 512, got ${show(algorithm)}`,
    );
  }
  const namedCurve = curves[algorithm];
  const { privateKey, publicKey } = namedCurve
    ? generateKeyPairSync("ec", { namedCurve })
    : generateKeyPairSync("rsa", { modulusLength: 2048 });
  return {
    algorithm,
    kid,
    privateKey: privateKey.export({ type: "pkcs8", format: "pem" }) as string,
    publicKey: publicKey.export({ type: "spki", format: "pem" }) as string,
    jwk: { ...publicKey.export({ format: "jwk" }), kid, alg: algorithm, use: "sig" },
  };
}
