/** Something whose client must keep moving; an entry of the clock's list. */
export interface Watched {
  previous: Watched | undefined;
  next: Watched | undefined;
  /** Compares with what it saw last, and ends what stands still for too long. */
  look(): void;
}

export interface StallTimeouts {
  readonly bodyIdleTimeoutMs: number;
  readonly writeIdleTimeoutMs: number;
}

/** Looks per shorter timeout; a standstill is noticed after 1 to 1.25 times its timeout. */
const LOOKS = 4;

/**
 * One timer for everything that may stall, and a linked list through what is watched: a Set would cost
 * more than all else that a small call does here. What moves only notes the reading of the clock, which
 * counts looks: a process that was suspended finds nobody stalled when it wakes.
 */
export class StallClock {
  readonly timeouts: StallTimeouts;
  /** How many looks of standstill are too many. */
  readonly bodyLooks: number;
  readonly writeLooks: number;
  now = 0;
  readonly #intervalMs: number;
  #first: Watched | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(timeouts: StallTimeouts) {
    const { bodyIdleTimeoutMs, writeIdleTimeoutMs } = timeouts;
    this.timeouts = timeouts;
    this.#intervalMs = Math.ceil(Math.min(bodyIdleTimeoutMs, writeIdleTimeoutMs) / LOOKS);
    this.bodyLooks = Math.ceil(bodyIdleTimeoutMs / this.#intervalMs);
    this.writeLooks = Math.ceil(writeIdleTimeoutMs / this.#intervalMs);
  }

  watch(watched: Watched): void {
    const first = this.#first;
    watched.next = first;
    if (first) first.previous = watched;
    this.#first = watched;
    this.#timer ??= setInterval(() => this.#look(), this.#intervalMs).unref();
  }

  unwatch(watched: Watched): void {
    const { previous, next } = watched;
    if (previous) previous.next = next;
    else this.#first = next;
    if (next) next.previous = previous;
    watched.previous = undefined;
    watched.next = undefined;
  }

  #look(): void {
    this.now++;
    let watched = this.#first;
    while (watched) {
      // Who ends takes itself off the list. Should it take the next one along, the rest is looked at
      // the next time.
      const { next }: Watched = watched;
      watched.look();
      watched = next;
    }
    if (this.#first) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
