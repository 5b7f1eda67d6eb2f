import { RollingCount } from "./rolling-count.ts";

export interface RetryBudgetOptions {
  /** Retries per call. Default 0.1. */
  readonly ratio?: number;
  /** Over how long both are counted, in milliseconds. Default 10 000. */
  readonly windowMs?: number;
  /** Retries that few calls may have in that time all the same. Default 10. */
  readonly minRetries?: number;
}

/** Keeps retries from multiplying the load on something that is failing under it. */
export class RetryBudget {
  readonly #count: RollingCount;
  readonly #ratio: number;
  readonly #minRetries: number;

  constructor({ ratio = 0.1, windowMs = 10_000, minRetries = 10 }: RetryBudgetOptions) {
    this.#count = new RollingCount(windowMs);
    this.#ratio = ratio;
    this.#minRetries = minRetries;
  }

  countCall(): void {
    this.#count.addFirst();
  }

  /** Takes one retry out of the budget, if there is one left. */
  take(): boolean {
    this.#count.advance();
    const { first: calls, second: retries } = this.#count;
    if (retries + 1 > Math.max(this.#minRetries, calls * this.#ratio)) return false;
    this.#count.addSecond();
    return true;
  }
}
