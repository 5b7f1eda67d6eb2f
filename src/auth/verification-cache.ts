import { checkInteger, checkKeys, checkMs } from "../core/internal.ts";
import type { AuthContext } from "./auth-context.ts";

export interface AuthCacheOptions {
  /**
   * How long a verified credential is taken at its word, in milliseconds; a shorter life of its own
   * wins. A revoked credential works this much longer. Default 60 000.
   */
  readonly ttlMs?: number;
  /** Credentials kept; the one longest unused leaves first. Default 1000. */
  readonly maxSize?: number;
}

interface Entry {
  readonly context: AuthContext;
  /** On the clock of `performance.now()`. */
  readonly staleAt: number;
}

/** Identities of credentials that were verified before. Refused ones are not kept. */
export class VerificationCache {
  readonly #ttlMs: number;
  readonly #maxSize: number;
  /** In order of use. */
  readonly #entries = new Map<string, Entry>();

  constructor(options: AuthCacheOptions) {
    checkKeys("cache", options, ["ttlMs", "maxSize"]);
    const { ttlMs = 60_000, maxSize = 1_000 } = options;
    checkMs("cache.ttlMs", ttlMs, 1);
    checkInteger("cache.maxSize", maxSize, 1, 10_000_000);
    this.#ttlMs = ttlMs;
    this.#maxSize = maxSize;
  }

  get(credential: string): AuthContext | undefined {
    const entry = this.#entries.get(credential);
    if (!entry) return undefined;
    this.#entries.delete(credential);
    const { context, staleAt } = entry;
    const isOver = context.expiresAt !== undefined && Date.now() >= context.expiresAt.getTime();
    if (isOver || performance.now() >= staleAt) return undefined;
    this.#entries.set(credential, entry);
    return context;
  }

  set(credential: string, context: AuthContext): void {
    this.#entries.set(credential, { context, staleAt: performance.now() + this.#ttlMs });
    if (this.#entries.size <= this.#maxSize) return;
    for (const oldest of this.#entries.keys()) {
      this.#entries.delete(oldest);
      return;
    }
  }
}
