import type { StreamResponse } from "@connectrpc/connect";

/** What somebody wants to know of a stream. At most one of the last three is called, and once. */
export interface StreamHooks<T> {
  /** Sees every message; what it returns is passed on. A throw ends the stream with that error. */
  onMessage?(message: T): T;
  onDone?(): void;
  /** What it returns is thrown instead. */
  onError?(thrown: unknown): unknown;
  /** The reader left before the end. */
  onLeave?(): void;
}

/** The same stream, watched. No generator in between, and nothing runs ahead of the reader. */
export function watchMessages<T>(
  messages: AsyncIterable<T>,
  hooks: StreamHooks<T>,
): AsyncIterable<T> {
  return {
    [Symbol.asyncIterator]() {
      const iterator = messages[Symbol.asyncIterator]();
      let isOver = false;
      const fail = (thrown: unknown): never => {
        if (isOver || !hooks.onError) {
          isOver = true;
          throw thrown;
        }
        isOver = true;
        throw hooks.onError(thrown);
      };
      const leave = () => {
        if (isOver) return;
        isOver = true;
        hooks.onLeave?.();
      };
      const pass = (result: IteratorResult<T>): IteratorResult<T> => {
        if (result.done) {
          if (!isOver) {
            isOver = true;
            hooks.onDone?.();
          }
          return result;
        }
        if (!hooks.onMessage) return result;
        try {
          const value = hooks.onMessage(result.value);
          return value === result.value ? result : { done: false, value };
        } catch (thrown) {
          iterator.return?.().then(undefined, ignore);
          return fail(thrown);
        }
      };
      return {
        next: () => iterator.next().then(pass, fail),
        return(value) {
          leave();
          return iterator.return?.(value) ?? Promise.resolve({ done: true, value });
        },
        throw(error) {
          leave();
          return iterator.throw?.(error) ?? Promise.reject(error);
        },
      };
    },
  };
}

/** The response with other messages. Header and trailer stay those of the original, read late. */
export function withMessages(
  response: StreamResponse,
  messages: AsyncIterable<unknown>,
): StreamResponse {
  return {
    stream: true,
    service: response.service,
    method: response.method,
    get header() {
      return response.header;
    },
    get trailer() {
      return response.trailer;
    },
    message: messages,
  } as StreamResponse;
}

function ignore(): void {}
