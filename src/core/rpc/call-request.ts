import type { DescMethod, DescService, Message } from "@bufbuild/protobuf";
import type { ContextValues, StreamRequest, UnaryRequest } from "@connectrpc/connect";
import type { Call } from "./call.ts";

/** Finds the call of a request object, also after an interceptor has copied it with a spread. */
export const callOf = Symbol("connectum call");

/**
 * The request interceptors see. Everything is a property of its own, so that `{ ...request }` keeps it;
 * only `signal` is computed when it is read, because a signal nobody reads should not exist.
 */
class CallRequest {
  readonly stream: boolean;
  readonly service: DescService;
  readonly method: DescMethod;
  readonly requestMethod: string;
  readonly url: string;
  readonly header: Headers;
  readonly contextValues: ContextValues;
  readonly message: unknown;
  declare readonly signal: AbortSignal;
  readonly [callOf]: Call;

  constructor(call: Call, stream: boolean, message: unknown) {
    this.stream = stream;
    this.service = call.service;
    this.method = call.method;
    this.requestMethod = call.requestMethod;
    this.url = call.url;
    this.header = call.requestHeader;
    this.contextValues = call.values;
    this.message = message;
    this[callOf] = call;
    Object.defineProperty(this, "signal", signalProperty);
  }
}

const signalProperty: PropertyDescriptor & ThisType<CallRequest> = {
  enumerable: true,
  configurable: true,
  get() {
    return this[callOf].signal;
  },
};

export function unaryRequest(call: Call, message: Message): UnaryRequest {
  return new CallRequest(call, false, message) as unknown as UnaryRequest;
}

export function streamRequest(call: Call, messages: AsyncIterable<Message>): StreamRequest {
  return new CallRequest(call, true, messages) as unknown as StreamRequest;
}

/** The call a request belongs to, if an interceptor has not built the request from nothing. */
export function callOfRequest(request: object): Call | undefined {
  return (request as { [callOf]?: Call })[callOf];
}

/** Whether it is the very request the chain began with, which nobody can have given another signal. */
export function isOriginal(request: object): boolean {
  return request instanceof CallRequest;
}
