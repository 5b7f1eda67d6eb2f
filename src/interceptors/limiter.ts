import { Code, type ConnectError } from "@connectrpc/connect";
import type { AnyRequest } from "../core/internal.ts";
import { errorWithRetryInfo } from "./retry-info.ts";

export interface LimiterOptions {
  readonly maxConcurrent: number;
  readonly maxQueue: number;
  readonly queueTimeoutMs: number | undefined;
}

/** What a refused client is asked to wait: long enough for a queue to drain. */
const RETRY_DELAY_MS = 1_000;

/** Places for calls, and a queue for those that find none. */
export class Limiter {
  readonly #options: LimiterOptions;
  readonly #queue = new Set<() => void>();
  #running = 0;

  constructor(options: LimiterOptions) {
    this.#options = options;
  }

  /** Takes a place if one is free. Nobody overtakes the queue: places go to it first. */
  tryEnter(): boolean {
    if (this.#running >= this.#options.maxConcurrent) return false;
    this.#running++;
    return true;
  }

  /** Waits for a place. Rejects when the queue is full, when it takes too long, when the call ends. */
  enter({ signal }: AnyRequest): Promise<void> {
    if (this.#queue.size >= this.#options.maxQueue) return Promise.reject(this.#refusal());
    return new Promise((resolve, reject) => {
      const { queueTimeoutMs } = this.#options;
      const timer =
        queueTimeoutMs !== undefined && setTimeout(() => fail(this.#refusal()), queueTimeoutMs);
      const stop = () => {
        this.#queue.delete(enter);
        if (timer) clearTimeout(timer);
        signal.removeEventListener("abort", onAbort);
      };
      const enter = () => {
        stop();
        resolve();
      };
      const fail = (reason: unknown) => {
        stop();
        reject(reason);
      };
      const onAbort = () => fail(signal.reason);
      this.#queue.add(enter);
      if (signal.aborted) onAbort();
      else signal.addEventListener("abort", onAbort);
    });
  }

  /** Gives the place to the call that waits longest. */
  leave(): void {
    if (this.#queue.size === 0) {
      this.#running--;
      return;
    }
    const [first] = this.#queue;
    first?.();
  }

  #refusal(): ConnectError {
    const { maxConcurrent, maxQueue } = this.#options;
    return errorWithRetryInfo(
      `too many calls: ${maxConcurrent} run and ${this.#queue.size} of at most ${maxQueue} wait`,
      Code.ResourceExhausted,
      RETRY_DELAY_MS,
    );
  }
}
