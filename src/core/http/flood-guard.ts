import type { ServerHttp2Stream } from "node:http2";
import type { ResolvedFloodLimits } from "../connection-options.ts";

type LimitName = keyof ResolvedFloodLimits;

/**
 * Counts what is cheap to send and dear to answer: streams that are opened and reset, PING, SETTINGS.
 * `onFlood` hears once, with the name of the limit. Floods of CONTINUATION, of empty DATA and of bytes
 * that are no frames are ended by Node itself.
 */
export class FloodGuard {
  readonly #limits: ResolvedFloodLimits;
  readonly #onFlood: (limit: LimitName) => void;
  readonly #resets = new RateCounter();
  readonly #pings = new RateCounter();
  readonly #settings = new RateCounter();
  #isFlooded = false;

  constructor(limits: ResolvedFloodLimits, onFlood: (limit: LimitName) => void) {
    this.#limits = limits;
    this.#onFlood = onFlood;
  }

  onPing(): void {
    this.#count(this.#pings, "pingsPerSecond");
  }

  onSettings(): void {
    this.#count(this.#settings, "settingsPerSecond");
  }

  /** A reset may carry the code of no error; then the stream is aborted all the same. */
  onStreamClose({ rstCode, aborted }: ServerHttp2Stream): void {
    if (rstCode !== 0 || aborted) this.#count(this.#resets, "resetsPerSecond");
  }

  #count(counter: RateCounter, name: LimitName): void {
    if (this.#isFlooded || counter.count() <= this.#limits[name]) return;
    this.#isFlooded = true;
    this.#onFlood(name);
  }
}

class RateCounter {
  #second = 0;
  #count = 0;

  /** Counts one more; returns how many there were in this second. */
  count(): number {
    const now = Math.floor(performance.now() / 1_000);
    if (now !== this.#second) {
      this.#second = now;
      this.#count = 0;
    }
    return ++this.#count;
  }
}
