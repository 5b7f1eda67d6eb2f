import type { ServerHttp2Stream } from "node:http2";
import type { ResolvedFloodLimits } from "../connection-options.ts";

type LimitName = keyof ResolvedFloodLimits;

/** Of a PING frame, and of the answer to one. */
export const PING_BYTES = 17;

/**
 * Counts what is cheap to send and dear to answer: streams that are opened and reset, PING, SETTINGS.
 * Each method returns the name of the limit that is passed, once. Floods of CONTINUATION, of empty DATA
 * and of bytes that are no frames are ended by Node itself.
 */
export class FloodGuard {
  readonly #limits: ResolvedFloodLimits;
  readonly #connection: { readonly bytesWritten: number };
  /** How much would be written by now, had nothing but answers to PINGs gone out. */
  #quietBytes = 0;
  readonly #resets = new RateCounter();
  readonly #pings = new RateCounter();
  readonly #settings = new RateCounter();
  #isFlooded = false;

  constructor(limits: ResolvedFloodLimits, connection: { readonly bytesWritten: number }) {
    this.#limits = limits;
    this.#connection = connection;
  }

  /**
   * A client that measures its bandwidth, as those of gRPC do, sends a PING for what it gets, thousands
   * in a second if the network is quick. So only those count that follow nothing of ours.
   */
  onPing(): LimitName | undefined {
    const { bytesWritten } = this.#connection;
    if (bytesWritten > this.#quietBytes) {
      this.#quietBytes = bytesWritten + PING_BYTES;
      return undefined;
    }
    this.#quietBytes += PING_BYTES;
    return this.#count(this.#pings, "pingsPerSecond");
  }

  onSettings(): LimitName | undefined {
    return this.#count(this.#settings, "settingsPerSecond");
  }

  /** A reset may carry the code of no error; then the stream is aborted all the same. */
  onStreamClose({ rstCode, aborted }: ServerHttp2Stream): LimitName | undefined {
    if (rstCode === 0 && !aborted) return undefined;
    return this.#count(this.#resets, "resetsPerSecond");
  }

  #count(counter: RateCounter, name: LimitName): LimitName | undefined {
    if (this.#isFlooded || counter.count() <= this.#limits[name]) return undefined;
    this.#isFlooded = true;
    return name;
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
