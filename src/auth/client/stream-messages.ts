/** The first message of a stream that has one; the rest is not read. */
export async function firstOf<T>(messages: AsyncIterable<T>): Promise<T[]> {
  for await (const message of messages) return [message];
  return [];
}

/** Messages that can be read more than once. */
export function repeatable<T>(messages: readonly T[]): AsyncIterable<T> {
  return {
    async *[Symbol.asyncIterator]() {
      yield* messages;
    },
  };
}

/** Waits for the first message; the result begins with it. Rejects when an error comes in its place. */
export async function begun<T>(messages: AsyncIterable<T>): Promise<AsyncIterable<T>> {
  const iterator = messages[Symbol.asyncIterator]();
  let first: IteratorResult<T> | undefined = await iterator.next();
  return {
    [Symbol.asyncIterator]: () => ({
      next() {
        if (!first) return iterator.next();
        const result = first;
        first = undefined;
        return Promise.resolve(result);
      },
      return: (value) => iterator.return?.(value) ?? Promise.resolve({ done: true, value }),
    }),
  };
}

/** The same messages; `listener` hears of the error that ends them. */
export function onError<T>(
  messages: AsyncIterable<T>,
  listener: (error: unknown) => void,
): AsyncIterable<T> {
  return {
    [Symbol.asyncIterator]() {
      const iterator = messages[Symbol.asyncIterator]();
      return {
        async next() {
          try {
            return await iterator.next();
          } catch (error) {
            listener(error);
            throw error;
          }
        },
        return: (value) => iterator.return?.(value) ?? Promise.resolve({ done: true, value }),
      };
    },
  };
}
