import { create, type DescMethod, type Message } from "@bufbuild/protobuf";
import type { Transport } from "@connectrpc/connect";

type Implementation = Record<string, (request: unknown) => unknown>;

const nothing = new Headers();

/**
 * The least a transport can do for `createClient`: it makes messages of what goes in and of what comes
 * out, calls the function, and knows no headers, context, errors or cancellation.
 */
export function floorTransport(implementation: object): Transport {
  const functions = implementation as Implementation;
  const answerOf = (method: DescMethod, stream: boolean, message: unknown) => ({
    stream,
    service: method.parent,
    method,
    header: nothing,
    trailer: nothing,
    message,
  });
  return {
    async unary(method, _signal, _timeoutMs, _header, input) {
      const output = await call(functions, method, create(method.input, input));
      return answerOf(method, false, create(method.output, output as never)) as never;
    },
    async stream(method, _signal, _timeoutMs, _header, input) {
      const { value } = await input[Symbol.asyncIterator]().next();
      const outputs = call(functions, method, create(method.input, value));
      return answerOf(method, true, messages(method, outputs as AsyncIterable<unknown>)) as never;
    },
  };
}

function call(functions: Implementation, { localName }: DescMethod, request: Message): unknown {
  return functions[localName]?.(request);
}

function messages({ output }: DescMethod, items: AsyncIterable<unknown>): AsyncIterable<Message> {
  return {
    [Symbol.asyncIterator]() {
      const iterator = items[Symbol.asyncIterator]();
      return {
        async next() {
          const result = await iterator.next();
          return result.done
            ? { done: true, value: undefined }
            : { done: false, value: create(output, result.value as never) };
        },
      };
    },
  };
}
