import { Code, ConnectError } from "@connectrpc/connect";
import { deadlineExceeded, MAX_TIMER_MS } from "../rpc/call.ts";

/**
 * The life of an outgoing call around its interceptors: one signal that fires when the caller
 * leaves, at the deadline, and when the call is over.
 */
export class OutgoingScope {
  readonly #abort = new AbortController();
  readonly #caller: AbortSignal | undefined;
  readonly #deadline: number | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** A `timeoutMs` of 0 or less is none, as for every client of connect-es. */
  constructor(caller: AbortSignal | undefined, timeoutMs: number | undefined) {
    this.#caller = caller;
    if (caller?.aborted) this.#onCallerAbort();
    else caller?.addEventListener("abort", this.#onCallerAbort);
    if (timeoutMs === undefined || timeoutMs <= 0) return;
    this.#deadline = performance.now() + timeoutMs;
    this.#timer = setTimeout(
      () => this.#abort.abort(deadlineExceeded()),
      Math.min(timeoutMs, MAX_TIMER_MS),
    );
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** What is left for the call after its interceptors took their time; whole milliseconds, at least 1. */
  get timeLeft(): number | undefined {
    if (this.#deadline === undefined) return undefined;
    return Math.max(1, Math.ceil(this.#deadline - performance.now()));
  }

  end(): void {
    this.#release();
    this.#abort.abort(ended);
  }

  /** The error the caller gets for something thrown. */
  fail(thrown: unknown): ConnectError {
    const { aborted, reason } = this.#abort.signal;
    const error = aborted ? ConnectError.from(reason, Code.Canceled) : ConnectError.from(thrown);
    this.#release();
    this.#abort.abort(error);
    return error;
  }

  /** The same messages; the call is over when they are. */
  follow<T>(messages: AsyncIterable<T>): AsyncIterable<T> {
    const scope = this;
    return {
      [Symbol.asyncIterator]() {
        const iterator = messages[Symbol.asyncIterator]();
        return {
          async next() {
            try {
              const result = await iterator.next();
              if (result.done) scope.end();
              return result;
            } catch (thrown) {
              throw scope.fail(thrown);
            }
          },
          async return(value) {
            await iterator.return?.(value);
            scope.end();
            return { done: true, value };
          },
        };
      },
    };
  }

  readonly #onCallerAbort = (): void => {
    this.#release();
    this.#abort.abort(this.#caller?.reason);
  };

  #release(): void {
    clearTimeout(this.#timer);
    this.#caller?.removeEventListener("abort", this.#onCallerAbort);
  }
}

const ended = new ConnectError("the call has ended", Code.Canceled);
