import { MAX_TIMER_MS } from "../core/internal.ts";

/** Something that ends when its time has come. */
export class Deadline {
  readonly due: number;
  readonly expire: () => void;
  next: Deadline | undefined;
  previous: Deadline | undefined;
  queue: DeadlineQueue | undefined;

  /** `due` is on the clock of `performance.now()`. */
  constructor(due: number, expire: () => void) {
    this.due = due;
    this.expire = expire;
  }

  cancel(): void {
    this.queue?.remove(this);
  }
}

/**
 * Deadlines that come in the order they were added, as those of one duration do. All of them share one
 * timer, which is left running when the first is cancelled: hardly any deadline is ever reached.
 */
export class DeadlineQueue {
  #first: Deadline | undefined;
  #last: Deadline | undefined;
  #timer: NodeJS.Timeout | undefined;

  add(deadline: Deadline): void {
    deadline.queue = this;
    const last = this.#last;
    this.#last = deadline;
    if (last) {
      last.next = deadline;
      deadline.previous = last;
      return;
    }
    this.#first = deadline;
    if (this.#timer) this.#timer.ref();
    else this.#arm(deadline);
  }

  remove(deadline: Deadline): void {
    const { next, previous } = deadline;
    deadline.queue = undefined;
    if (previous) previous.next = next;
    else this.#first = next;
    if (next) next.previous = previous;
    else this.#last = previous;
    deadline.next = undefined;
    deadline.previous = undefined;
    // A process with nothing else to do need not wait for a timer that nobody waits for.
    if (!this.#first) this.#timer?.unref();
  }

  #arm(first: Deadline): void {
    const delay = Math.ceil(first.due - performance.now());
    this.#timer = setTimeout(this.#expire, Math.min(Math.max(delay, 1), MAX_TIMER_MS));
  }

  readonly #expire = (): void => {
    this.#timer = undefined;
    const now = performance.now() + CLOCK_TOLERANCE_MS;
    for (let first = this.#first; first && first.due <= now; first = this.#first) {
      this.remove(first);
      first.expire();
    }
    if (this.#first && !this.#timer) this.#arm(this.#first);
  };
}

/** Timers count in whole milliseconds of a clock that is read once per turn. */
const CLOCK_TOLERANCE_MS = 1;
