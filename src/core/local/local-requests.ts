import type { Message } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";

type Result = IteratorResult<Message>;

/** The request messages of an in-process stream, as the handler reads them. */
export class LocalRequests implements AsyncIterableIterator<Message> {
  readonly #input: AsyncIterator<unknown>;
  readonly #normalize: (item: unknown) => Message;
  readonly #onInputError: (error: unknown) => void;
  #error: ConnectError | undefined;
  #reject: ((error: ConnectError) => void) | undefined;
  #isOver = false;

  /** `onInputError` hears what the caller's own iterable throws. */
  constructor(
    input: AsyncIterable<unknown>,
    normalize: (item: unknown) => Message,
    onInputError: (error: unknown) => void,
  ) {
    this.#input = input[Symbol.asyncIterator]();
    this.#normalize = normalize;
    this.#onInputError = onInputError;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Result> {
    if (this.#error) return Promise.reject(this.#error);
    if (this.#isOver) return Promise.resolve(done);
    return new Promise((resolve, reject) => {
      this.#reject = reject;
      this.#input.next().then(
        (result) => {
          if (result.done) {
            this.#isOver = true;
            resolve(done);
            return;
          }
          try {
            resolve({ done: false, value: this.#normalize(result.value) });
          } catch (error) {
            this.#onInputError(error);
          }
        },
        (error) => this.#onInputError(error),
      );
    });
  }

  return(): Promise<Result> {
    this.release();
    return Promise.resolve(done);
  }

  fail(error: ConnectError): void {
    this.#error ??= error;
    this.#reject?.(error);
    this.release();
  }

  /** Nobody reads any more; the caller's iterable is told so. */
  release(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#input.return?.().then(undefined, () => {});
  }
}

const done: IteratorReturnResult<undefined> = { done: true, value: undefined };
