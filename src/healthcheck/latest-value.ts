interface Reader<T> {
  resolve(result: IteratorResult<T, undefined>): void;
  reject(reason: unknown): void;
}

/**
 * A stream of which only the latest value counts. Holds at most one value the reader has not taken
 * and never delivers the same value twice in a row. A timer runs only while a value waits for
 * `intervalMs` to pass since the last one was taken.
 */
export class LatestValue<T> implements AsyncIterableIterator<T, undefined> {
  readonly #intervalMs: number;
  readonly #onClose: () => void;
  readonly #readers: Reader<T>[] = [];
  #pending: { readonly value: T } | undefined;
  #taken: { readonly value: T; readonly atMs: number } | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isEnded = false;
  #failure: { readonly reason: unknown } | undefined;

  /** `onClose` is called once, when the reader leaves or the stream ends or fails. */
  constructor(intervalMs: number, onClose: () => void) {
    this.#intervalMs = intervalMs;
    this.#onClose = onClose;
  }

  push(value: T): void {
    if (this.#isEnded) return;
    this.#pending = value === this.#taken?.value ? undefined : { value };
    this.#flush();
  }

  /** Ends the stream after the pending value, which no longer waits. */
  end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#onClose();
    this.#flush();
  }

  /** Drops what is pending; the reader gets the reason. */
  fail(reason: unknown): void {
    if (this.#isEnded) return;
    this.#failure = { reason };
    this.#pending = undefined;
    this.end();
  }

  next(): Promise<IteratorResult<T, undefined>> {
    return new Promise((resolve, reject) => {
      this.#readers.push({ resolve, reject });
      this.#flush();
    });
  }

  /** The reader has left. Unlike a generator's, it works while a `next()` is under way. */
  return(): Promise<IteratorResult<T, undefined>> {
    this.#pending = undefined;
    this.#failure = undefined;
    this.end();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    while (this.#readers.length > 0) {
      if (this.#pending && !this.#isDue()) return;
      if (!this.#pending && !this.#isEnded) return;
      this.#serve(this.#readers.shift() as Reader<T>);
    }
  }

  #serve(reader: Reader<T>): void {
    if (this.#pending) {
      const { value } = this.#pending;
      this.#pending = undefined;
      this.#taken = { value, atMs: Date.now() };
      reader.resolve({ done: false, value });
    } else if (this.#failure) {
      const { reason } = this.#failure;
      this.#failure = undefined;
      reader.reject(reason);
    } else {
      reader.resolve({ done: true, value: undefined });
    }
  }

  #isDue(): boolean {
    if (this.#isEnded || !this.#taken || this.#intervalMs === 0) return true;
    // At most one interval, should the clock have been set back.
    const waitMs = Math.min(this.#taken.atMs + this.#intervalMs - Date.now(), this.#intervalMs);
    if (waitMs <= 0) return true;
    this.#timer = setTimeout(() => this.#flush(), waitMs);
    this.#timer.unref();
    return false;
  }
}
