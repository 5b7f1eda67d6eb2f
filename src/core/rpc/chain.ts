import type {
  Interceptor,
  StreamRequest,
  StreamResponse,
  UnaryRequest,
  UnaryResponse,
} from "@connectrpc/connect";

export type AnyRequest = UnaryRequest | StreamRequest;
export type AnyResponse = UnaryResponse | StreamResponse;

/** What an interceptor wraps, and what it gives. */
export type AnyFn = (request: AnyRequest) => Promise<AnyResponse>;

/** The interceptors around a function, the first outermost. */
export function compose(interceptors: readonly Interceptor[], innermost: AnyFn): AnyFn {
  return interceptors.reduceRight<AnyFn>((next, interceptor) => interceptor(next), innermost);
}
