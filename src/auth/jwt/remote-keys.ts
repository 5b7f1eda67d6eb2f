import { createPublicKey } from "node:crypto";
import type * as http from "node:http";
import { Code, ConnectError } from "@connectrpc/connect";
import { ConnectumError } from "../../core/index.ts";
import { checkKeys, checkMs, show } from "../../core/internal.ts";
import { Refusal } from "../auth-failure.ts";
import { fetchJwks, type RawJwk } from "./fetch-jwks.ts";
import {
  algorithmsOf,
  type JwtAlgorithm,
  unsupported,
  type VerificationKey,
} from "./verification-key.ts";

export interface JwksOptions {
  /** Keys older than this are fetched anew in the background, in milliseconds. Default 600 000. */
  readonly maxAgeMs?: number;
  /**
   * Shortest time between two fetches, in milliseconds, whoever asks for unknown keys. A key that
   * its issuer publishes and uses at once may be refused for so long. Default 5 000.
   */
  readonly cooldownMs?: number;
  /** Longest a fetch may take, in milliseconds. Default 5 000. */
  readonly timeoutMs?: number;
  /** For a proxy or an own certificate authority. Default: Node's global agent. */
  readonly agent?: http.Agent;
}

/** What a token says of its key, verified by nobody. */
export interface TokenHeader {
  readonly alg: string;
  readonly kid?: string;
}

interface RemoteKey extends VerificationKey {
  readonly kid: string | undefined;
}

/**
 * The keys one issuer publishes. jwks-rsa reads them; the set is kept here as a whole, because its own
 * cache asks the issuer once per unknown key id and forgets keys while the issuer is down.
 */
export class RemoteKeys {
  readonly #uri: string;
  readonly #options: Required<Omit<JwksOptions, "agent">> & Pick<JwksOptions, "agent">;
  readonly #isAllowed: (algorithm: JwtAlgorithm) => boolean;
  #keys: readonly RemoteKey[] = [];
  /** Why keys that were published cannot be used. */
  #refused = new Map<unknown, ConnectumError>();
  #running: Promise<void> | undefined;
  #failure: unknown;
  /** Both on the clock of `performance.now()`. */
  #staleAt = 0;
  #nextFetchAt = 0;

  constructor(uri: string, options: JwksOptions = {}, algorithms?: readonly string[]) {
    const protocol = URL.canParse(uri) ? new URL(uri).protocol : undefined;
    if (protocol !== "http:" && protocol !== "https:") {
      throw new ConnectumError(
        "INVALID_OPTION",
        `jwksUri must be a URL like https://issuer.example/jwks.json, got ${show(uri)}`,
      );
    }
    checkKeys("jwks", options, ["maxAgeMs", "cooldownMs", "timeoutMs", "agent"]);
    const { maxAgeMs = 600_000, cooldownMs = 5_000, timeoutMs = 5_000, agent } = options;
    checkMs("jwks.maxAgeMs", maxAgeMs, 1);
    checkMs("jwks.cooldownMs", cooldownMs);
    checkMs("jwks.timeoutMs", timeoutMs, 1);
    this.#uri = uri;
    this.#options = { maxAgeMs, cooldownMs, timeoutMs, agent };
    const allowed = algorithms && new Set(algorithms.map(checkAsymmetric));
    this.#isAllowed = (algorithm) => allowed?.has(algorithm) ?? true;
  }

  /**
   * The key of a token. Throws `unavailable` if it is unknown and the issuer cannot be asked,
   * UNSUPPORTED_KEY if the issuer publishes it and it cannot be used.
   */
  find(header: TokenHeader): VerificationKey | Promise<VerificationKey> {
    const key = this.#select(header);
    if (!key) return this.#findAnew(header);
    if (performance.now() >= this.#staleAt) {
      // The known keys do until the issuer answers again.
      this.#refresh().catch(() => {});
    }
    return key;
  }

  async #findAnew(header: TokenHeader): Promise<VerificationKey> {
    try {
      await this.#refresh();
    } catch (cause) {
      const message = "signing keys are unavailable";
      throw new ConnectError(message, Code.Unavailable, undefined, undefined, cause);
    }
    const key = this.#select(header);
    if (key) return key;
    throw this.#refused.get(header.kid) ?? new Refusal(`no key with id ${show(header.kid)}`);
  }

  #select({ kid, alg }: TokenHeader): VerificationKey | undefined {
    const named = kid === undefined ? this.#keys : this.#keys.filter((key) => key.kid === kid);
    if (named.length === 0) return undefined;
    const fitting = named.filter(({ algorithms }) => (algorithms as string[]).includes(alg));
    if (fitting.length === 1) return fitting[0];
    if (fitting.length > 1) throw new Refusal("the token does not say which of several keys it is");
    throw new Refusal(`algorithm ${show(alg)} does not fit the key`);
  }

  /** One fetch at a time, and none before the cooldown is over. Rejects while the issuer is down. */
  #refresh(): Promise<void> {
    if (this.#running) return this.#running;
    if (performance.now() < this.#nextFetchAt) {
      return this.#failure === undefined ? Promise.resolve() : Promise.reject(this.#failure);
    }
    this.#running = this.#fetch()
      .then(
        () => {
          this.#failure = undefined;
          this.#staleAt = performance.now() + this.#options.maxAgeMs;
        },
        (error: unknown) => {
          this.#failure = error;
          throw error;
        },
      )
      .finally(() => {
        this.#running = undefined;
        this.#nextFetchAt = performance.now() + this.#options.cooldownMs;
      });
    return this.#running;
  }

  async #fetch(): Promise<void> {
    const { JwksClient } = (await import("jwks-rsa")).default;
    const refused = new Map<unknown, ConnectumError>();
    const client = new JwksClient({
      jwksUri: this.#uri,
      cache: false,
      fetcher: async (uri) => {
        const raw = await fetchJwks(uri, this.#options);
        return { keys: raw.filter((key) => isUsable(key, refused)) };
      },
    });
    const keys: RemoteKey[] = [];
    try {
      for (const { kid, alg, getPublicKey } of await client.getSigningKeys()) {
        const usable = this.#toKey(kid, alg, getPublicKey(), refused);
        if (usable) keys.push(usable);
      }
    } catch (error) {
      if (refused.size === 0) throw error;
    }
    this.#keys = keys;
    this.#refused = refused;
  }

  #toKey(
    kid: string | undefined,
    alg: string | undefined,
    pem: string,
    refused: Map<unknown, ConnectumError>,
  ): RemoteKey | undefined {
    try {
      const key = createPublicKey(pem);
      const algorithms = algorithmsOf(key).filter(
        (name) => this.#isAllowed(name) && (alg === undefined || alg === name),
      );
      return algorithms.length > 0 ? { kid, key, algorithms } : undefined;
    } catch (error) {
      refused.set(kid, error as ConnectumError);
      return undefined;
    }
  }
}

function isUsable({ kty, kid }: RawJwk, refused: Map<unknown, ConnectumError>): boolean {
  if (kty !== "oct" && kty !== "OKP") return true;
  const kind = kty === "oct" ? 'a shared secret (kty "oct")' : "an EdDSA key";
  refused.set(kid, unsupported(`the JWKS has ${kind} as ${show(kid)}; use RSA or EC keys`));
  return false;
}

function checkAsymmetric(algorithm: string): JwtAlgorithm {
  if (/^(RS|PS|ES)(256|384|512)$/.test(algorithm)) return algorithm as JwtAlgorithm;
  throw new ConnectumError(
    "INVALID_OPTION",
    `algorithms for jwksUri are RS, PS or ES with 256, 384 or 512, got ${show(algorithm)}`,
  );
}
