import type { ServerHttp2Session, ServerHttp2Stream } from "node:http2";
import type { ResolvedFloodLimits } from "../connection-options.ts";

/**
 * Counts what is cheap to send and dear to answer: streams that are opened and reset, PING, SETTINGS.
 * `onFlood` hears once, with the name of the limit. Floods of CONTINUATION, of empty DATA and of bytes
 * that are no frames are ended by Node itself.
 */
export class FloodGuard {
  readonly #limits: ResolvedFloodLimits;
  readonly #onFlood: (limit: keyof ResolvedFloodLimits) => void;
  readonly #countReset: () => void;
  #isFlooded = false;

  constructor(
    session: ServerHttp2Session,
    limits: ResolvedFloodLimits,
    onFlood: (limit: keyof ResolvedFloodLimits) => void,
  ) {
    this.#limits = limits;
    this.#onFlood = onFlood;
    this.#countReset = this.#counterOf("resetsPerSecond");
    session.on("ping", this.#counterOf("pingsPerSecond"));
    session.on("remoteSettings", this.#counterOf("settingsPerSecond"));
  }

  /** A reset may carry the code of no error; then the stream is aborted all the same. */
  onStreamClose(stream: ServerHttp2Stream): void {
    if (stream.rstCode !== 0 || stream.aborted) this.#countReset();
  }

  #counterOf(limit: keyof ResolvedFloodLimits): () => void {
    const isOver = rateCounter(this.#limits[limit]);
    return () => {
      if (this.#isFlooded || !isOver()) return;
      this.#isFlooded = true;
      this.#onFlood(limit);
    };
  }
}

/** A function that counts itself and tells whether it was called more than `limit` times in a second. */
function rateCounter(limit: number): () => boolean {
  let second = 0;
  let count = 0;
  return () => {
    const now = Math.floor(performance.now() / 1_000);
    if (now !== second) {
      second = now;
      count = 0;
    }
    count++;
    return count > limit;
  };
}
