import type { ServerHttp2Stream } from "node:http2";

/** Seconds since some moment, as somebody counts them. */
export interface Seconds {
  readonly now: number;
}

/**
 * Tells resets that are sent in bulk (CVE-2023-44487) from calls that are left. Not rapid is the reset of a
 * stream that lived for a second, as `maxConcurrentStreams` bounds those, and one reset in a turn of
 * the event loop: a client that leaves one call after the other is served, and as often as it is, others
 * have had their turn in between.
 */
export class RapidResets {
  readonly #seconds: Seconds;
  #second: number;
  #lastId = 0;
  /** The last stream that began before this second. */
  #earlierId = 0;
  /** The last stream that is a second old. */
  #oldId = 0;
  #isTurnUsed = false;

  constructor(seconds: Seconds) {
    this.#seconds = seconds;
    this.#second = seconds.now;
  }

  onStream(id: number): void {
    if (this.#seconds.now !== this.#second) this.#beginSecond();
    this.#lastId = id;
  }

  /** Whether a stream that closes was reset, and too soon. */
  isRapid({ id = 0, rstCode, aborted }: ServerHttp2Stream): boolean {
    // A reset may carry the code of no error; then the stream is aborted all the same.
    if (rstCode === 0 && !aborted) return false;
    if (this.#seconds.now !== this.#second) this.#beginSecond();
    if (id <= this.#oldId) return false;
    if (this.#isTurnUsed) return true;
    this.#isTurnUsed = true;
    setImmediate(() => {
      this.#isTurnUsed = false;
    });
    return false;
  }

  #beginSecond(): void {
    const { now } = this.#seconds;
    this.#oldId = now - this.#second === 1 ? this.#earlierId : this.#lastId;
    this.#earlierId = this.#lastId;
    this.#second = now;
  }
}
