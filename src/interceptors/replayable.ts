/** The same messages for every reader, each kept once it was read. For the one message of a request. */
export function replayable<T>(messages: AsyncIterable<T>): AsyncIterable<T> {
  const results: Array<Promise<IteratorResult<T>>> = [];
  let iterator: AsyncIterator<T> | undefined;
  return {
    [Symbol.asyncIterator]() {
      let index = 0;
      return {
        next() {
          iterator ??= messages[Symbol.asyncIterator]();
          results[index] ??= iterator.next();
          return results[index++] as Promise<IteratorResult<T>>;
        },
        return: (value) => Promise.resolve({ done: true, value }),
      };
    },
  };
}
