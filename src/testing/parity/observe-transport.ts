import type { DescMethod } from "@bufbuild/protobuf";
import type { Transport } from "@connectrpc/connect";
import { type ObservedCall, shownError } from "./outcome.ts";
import { shownHeaders } from "./shown-headers.ts";

/** The same transport, with what each call's client sees noted in `calls`. */
export function observeTransport(transport: Transport, calls: ObservedCall[]): Transport {
  const begin = (method: DescMethod): ObservedCall => {
    const call: ObservedCall = { method: `${method.parent.typeName}/${method.name}` };
    calls.push(call);
    return call;
  };
  return {
    async unary(method, ...rest) {
      const call = begin(method);
      try {
        const response = await transport.unary(method, ...rest);
        call.header = shownHeaders(response.header);
        call.trailer = shownHeaders(response.trailer);
        return response;
      } catch (error) {
        fail(call, error);
        throw error;
      }
    },
    async stream(method, ...rest) {
      const call = begin(method);
      try {
        const response = await transport.stream(method, ...rest);
        call.header = shownHeaders(response.header);
        const message = noteEnd(response.message, call, () => response.trailer);
        return { ...response, message };
      } catch (error) {
        fail(call, error);
        throw error;
      }
    },
  };
}

/** Trailers are complete, and errors known, when the stream has ended. */
async function* noteEnd<T>(
  messages: AsyncIterable<T>,
  call: ObservedCall,
  trailer: () => Headers,
): AsyncIterable<T> {
  try {
    yield* messages;
    call.trailer = shownHeaders(trailer());
  } catch (error) {
    fail(call, error);
    throw error;
  }
}

/** An answer that is an error alone has no header in gRPC, and an empty one in the other protocols. */
function fail(call: ObservedCall, error: unknown): void {
  call.error = shownError(error);
  if (call.header && Object.keys(call.header).length === 0) delete call.header;
}
