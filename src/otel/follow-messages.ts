import { type Context, context } from "@opentelemetry/api";

export interface FollowedMessages<T> {
  /** Where the items are made. */
  readonly context?: Context | undefined;
  onMessage?(message: T): void;
  onDone?(): void;
  onThrown?(thrown: unknown): void;
  /** The reader leaves before the end. */
  onReturn?(): void;
}

/** The same stream, made in its context and followed to its end, without a generator in between. */
export function followMessages<T>(
  messages: AsyncIterable<T>,
  followed: FollowedMessages<T>,
): AsyncIterable<T> {
  return {
    [Symbol.asyncIterator]() {
      return new FollowedIterator(messages, followed);
    },
  };
}

class FollowedIterator<T> implements AsyncIterator<T> {
  readonly #followed: FollowedMessages<T>;
  readonly #iterator: AsyncIterator<T>;

  constructor(messages: AsyncIterable<T>, followed: FollowedMessages<T>) {
    this.#followed = followed;
    this.#iterator = this.#within(() => messages[Symbol.asyncIterator]());
  }

  next(): Promise<IteratorResult<T>> {
    return this.#within(this.#advance).then(this.#onResult, this.#onThrown);
  }

  async return(value?: unknown): Promise<IteratorResult<T>> {
    this.#followed.onReturn?.();
    const result = await this.#within(() => this.#iterator.return?.(value));
    return result ?? { done: true, value: undefined };
  }

  /** Transports of connect-es end a stream of requests with it. */
  async throw(reason?: unknown): Promise<IteratorResult<T>> {
    this.#followed.onThrown?.(reason);
    const iterator = this.#iterator;
    if (!iterator.throw) throw reason;
    return this.#within(() => iterator.throw?.(reason)) as Promise<IteratorResult<T>>;
  }

  readonly #advance = (): Promise<IteratorResult<T>> => this.#iterator.next();

  readonly #onResult = (result: IteratorResult<T>): IteratorResult<T> => {
    if (result.done) this.#followed.onDone?.();
    else this.#followed.onMessage?.(result.value);
    return result;
  };

  readonly #onThrown = (thrown: unknown): never => {
    this.#followed.onThrown?.(thrown);
    throw thrown;
  };

  #within<R>(run: () => R): R {
    const { context: own } = this.#followed;
    return own ? context.with(own, run) : run();
  }
}
