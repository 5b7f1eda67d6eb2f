/** Something that must keep moving, such as a request body or an answer that is being read. */
export interface Watched {
  /** Reading of the clock when it last moved. */
  movedAt: number;
  /** Whether it moved since the last look, or stands still for a reason of ours. */
  hasMoved(): boolean;
  onStalled(): void;
}

/** Looks per timeout; a standstill is noticed after 1 to 1.25 times the timeout. */
const LOOKS = 4;

/**
 * One timer for everything that may stall: whoever is watched costs an entry in a set, and what moves
 * only notes the reading of the clock.
 */
export class StallClock {
  readonly timeoutMs: number;
  readonly #watched = new Set<Watched>();
  #timer: NodeJS.Timeout | undefined;
  #now = 0;

  constructor(timeoutMs: number) {
    this.timeoutMs = timeoutMs;
  }

  /** Counts looks. */
  get now(): number {
    return this.#now;
  }

  watch(watched: Watched): void {
    watched.movedAt = this.#now;
    this.#watched.add(watched);
    this.#timer ??= setInterval(() => this.#look(), Math.ceil(this.timeoutMs / LOOKS)).unref();
  }

  unwatch(watched: Watched): void {
    this.#watched.delete(watched);
  }

  #look(): void {
    this.#now++;
    for (const watched of this.#watched) {
      if (watched.hasMoved()) {
        watched.movedAt = this.#now;
      } else if (this.#now - watched.movedAt > LOOKS) {
        this.#watched.delete(watched);
        watched.onStalled();
      }
    }
    if (this.#watched.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
