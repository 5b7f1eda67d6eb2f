/** Counts of two things over the last while, in buckets that are cleared when time reaches them. */
export class RollingCount {
  readonly #bucketMs: number;
  readonly #firsts: number[];
  readonly #seconds: number[];
  #index = 0;
  #bucketEnd: number;
  first = 0;
  second = 0;

  constructor(windowMs: number, buckets = 10) {
    this.#bucketMs = windowMs / buckets;
    this.#firsts = new Array(buckets).fill(0);
    this.#seconds = new Array(buckets).fill(0);
    this.#bucketEnd = performance.now() + this.#bucketMs;
  }

  addFirst(): void {
    this.advance();
    this.first++;
    (this.#firsts[this.#index] as number)++;
  }

  addSecond(): void {
    this.advance();
    this.second++;
    (this.#seconds[this.#index] as number)++;
  }

  /** Forgets what is older than the window. */
  advance(): void {
    const now = performance.now();
    if (now < this.#bucketEnd) return;
    const count = this.#firsts.length;
    const passed = 1 + Math.floor((now - this.#bucketEnd) / this.#bucketMs);
    for (let step = 0; step < Math.min(passed, count); step++) {
      this.#index = (this.#index + 1) % count;
      this.first -= this.#firsts[this.#index] as number;
      this.second -= this.#seconds[this.#index] as number;
      this.#firsts[this.#index] = 0;
      this.#seconds[this.#index] = 0;
    }
    this.#bucketEnd += passed * this.#bucketMs;
  }
}
