import type { StreamResponse } from "@connectrpc/connect";

/**
 * The response, with another in its place if its stream fails before the first message. Nothing is
 * read before the reader asks. `replace` throws what the reader gets when there is no other.
 */
export function watchFirst(
  response: StreamResponse,
  replace: (thrown: unknown) => Promise<StreamResponse>,
): StreamResponse {
  let current = response;
  const messages: AsyncIterable<unknown> = {
    [Symbol.asyncIterator]() {
      let iterator = current.message[Symbol.asyncIterator]();
      let isFirst = true;
      const first = async (): Promise<IteratorResult<unknown>> => {
        for (;;) {
          try {
            return await iterator.next();
          } catch (thrown) {
            current = await replace(thrown);
            iterator = current.message[Symbol.asyncIterator]();
          }
        }
      };
      return {
        next() {
          if (!isFirst) return iterator.next();
          isFirst = false;
          return first();
        },
        return: (value) => iterator.return?.(value) ?? Promise.resolve({ done: true, value }),
        throw: (error) => iterator.throw?.(error) ?? Promise.reject(error),
      };
    },
  };
  return {
    stream: true,
    service: response.service,
    method: response.method,
    get header() {
      return current.header;
    },
    get trailer() {
      return current.trailer;
    },
    message: messages,
  } as StreamResponse;
}
