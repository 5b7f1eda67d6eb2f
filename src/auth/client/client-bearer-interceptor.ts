import { MethodOptions_IdempotencyLevel as Idempotency } from "@bufbuild/protobuf/wkt";
import {
  Code,
  ConnectError,
  type Interceptor,
  type StreamRequest,
  type StreamResponse,
  type UnaryRequest,
} from "@connectrpc/connect";
import { checkKeys } from "../../core/internal.ts";
import { begun, firstOf, onError, repeatable } from "./stream-messages.ts";
import { type TokenInput, TokenSource } from "./token-source.ts";

export interface ClientBearerOptions {
  /**
   * The token, or what fetches one. A fetched token is kept until a server refuses it, or until
   * shortly before the `exp` it carries; calls that need one at the same time share one fetch.
   */
  readonly token: TokenInput;
}

type Next = ReturnType<Interceptor>;

/**
 * Sends `authorization: Bearer <token>`. When the server answers `unauthenticated` the token is
 * fetched anew, and a call of a method declared `NO_SIDE_EFFECTS` or `IDEMPOTENT` is made once more:
 * unary ones, and server streams before their first message.
 */
export function createClientBearerInterceptor(options: ClientBearerOptions): Interceptor {
  checkKeys("createClientBearerInterceptor()", options, ["token"]);
  const tokens = new TokenSource(options.token);
  const isRefused = (error: unknown, token: string) => {
    const refused = error instanceof ConnectError && error.code === Code.Unauthenticated;
    return refused && tokens.drop(token);
  };

  const send = async ({ header, signal }: UnaryRequest | StreamRequest) => {
    const token = await tokens.get(signal);
    header.set("authorization", `Bearer ${token}`);
    return token;
  };

  /** `attempt`, and once more after a refusal if the call may be repeated. */
  const attemptTwice = async <T>(
    request: UnaryRequest | StreamRequest,
    attempt: () => Promise<T>,
  ): Promise<T> => {
    const token = await send(request);
    try {
      return await attempt();
    } catch (error) {
      if (!isRefused(error, token) || !isIdempotent(request)) throw error;
      await send(request);
      return attempt();
    }
  };

  const serverStream = async (next: Next, request: StreamRequest) => {
    const message = repeatable(await firstOf(request.message));
    return attemptTwice(request, async () => {
      const response = (await next({ ...request, message })) as StreamResponse;
      // A refusal may come in place of the first message.
      return { ...response, message: await begun(response.message) };
    });
  };

  const otherStream = async (next: Next, request: StreamRequest) => {
    const token = await send(request);
    const note = (error: unknown) => void isRefused(error, token);
    try {
      const response = (await next(request)) as StreamResponse;
      return { ...response, message: onError(response.message, note) };
    } catch (error) {
      note(error);
      throw error;
    }
  };

  return (next) => async (request) => {
    if (!request.stream) return attemptTwice(request, () => next(request));
    const isRepeatable = request.method.methodKind === "server_streaming" && isIdempotent(request);
    const serve = isRepeatable ? serverStream : otherStream;
    return (await serve(next, request)) as StreamResponse;
  };
}

function isIdempotent({ method }: UnaryRequest | StreamRequest): boolean {
  return method.idempotency !== Idempotency.IDEMPOTENCY_UNKNOWN;
}
