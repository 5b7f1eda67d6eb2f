import type {
  StreamRequest,
  StreamResponse,
  UnaryRequest,
  UnaryResponse,
} from "@connectrpc/connect";

export type AnyRequest = UnaryRequest | StreamRequest;
export type AnyResponse = UnaryResponse | StreamResponse;

/** What an interceptor wraps, and what it gives. */
export type AnyFn = (request: AnyRequest) => Promise<AnyResponse>;
