import { Code, ConnectError } from "@connectrpc/connect";

/** Messages that have a shorter way to {@link exactlyOne} than their iterator. */
export interface OneMessage<T> {
  exactlyOne(): Promise<T>;
}

/** Awaits the one message of a call that may have no other. Throws `unimplemented` otherwise. */
export function exactlyOne<T>(messages: AsyncIterable<T> | OneMessage<T>): Promise<T> {
  return "exactlyOne" in messages ? messages.exactlyOne() : readOne(messages);
}

async function readOne<T>(messages: AsyncIterable<T>): Promise<T> {
  const iterator = messages[Symbol.asyncIterator]();
  const first = await iterator.next();
  if (first.done) throw noMessage();
  const second = await iterator.next();
  if (!second.done) throw tooManyMessages();
  return first.value;
}

export function noMessage(): ConnectError {
  return new ConnectError("no request message, this method takes one", Code.Unimplemented);
}

export function tooManyMessages(): ConnectError {
  return new ConnectError(
    "more than one request message, this method takes one",
    Code.Unimplemented,
  );
}

/** A stream of one message. */
export function onlyMessage<T>(message: T): AsyncIterable<T> {
  return {
    [Symbol.asyncIterator]() {
      let isDone = false;
      return {
        next() {
          if (isDone) return Promise.resolve({ done: true, value: undefined });
          isDone = true;
          return Promise.resolve({ done: false, value: message });
        },
        return() {
          isDone = true;
          return Promise.resolve({ done: true, value: undefined });
        },
      };
    },
  };
}

/** The same stream with every item passed through `normalize`, without a generator in between. */
export function normalizeMessages<T>(
  items: AsyncIterable<unknown>,
  normalize: (item: unknown) => T,
): AsyncIterable<T> {
  return {
    [Symbol.asyncIterator]() {
      const iterator = items[Symbol.asyncIterator]();
      const convert = (result: IteratorResult<unknown>): IteratorResult<T> =>
        result.done
          ? { done: true, value: undefined }
          : { done: false, value: normalize(result.value) };
      return {
        next: () => iterator.next().then(convert),
        return: () => iterator.return?.().then(convert) ?? finished(),
        throw: (error) => iterator.throw?.(error).then(convert) ?? Promise.reject(error),
      };
    },
  };
}

function finished<T>(): Promise<IteratorResult<T>> {
  return Promise.resolve({ done: true, value: undefined });
}
