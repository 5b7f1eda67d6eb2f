import { create, isMessage } from "@bufbuild/protobuf";
import { Code, type Interceptor } from "@connectrpc/connect";
import {
  type AnyFn,
  type AnyRequest,
  type AnyResponse,
  checkFunction,
  checkKeys,
  infrastructureMethods,
} from "../core/internal.ts";
import { checkCodes } from "./check-codes.ts";
import {
  type Answer,
  answered,
  claimFallback,
  leaveFallback,
  linkFallback,
  markFallback,
} from "./fallback-handoff.ts";
import { MethodPlans } from "./method-plans.ts";
import { codeOf } from "./rpc-error.ts";

export interface FallbackOptions {
  /**
   * Gives the answer in the place of an error: a response message or what makes one; for a server
   * stream also an iterable of them. `undefined` lets the error go out.
   */
  readonly handler: (error: unknown, request: AnyRequest) => unknown;
  /**
   * Errors it answers for. Default `unavailable`, `deadline_exceeded`, `internal`, `unknown` and
   * `resource_exhausted`.
   */
  readonly codes?: readonly Code[];
  /** Method patterns to leave alone. Default `grpc.health.v1.Health/*` and `grpc.reflection.*`. */
  readonly skipMethods?: readonly string[];
}

const defaultCodes: readonly Code[] = [
  Code.Unavailable,
  Code.DeadlineExceeded,
  Code.Internal,
  Code.Unknown,
  Code.ResourceExhausted,
];

/**
 * Answers unary calls that failed, and server streams that failed before their first message. The
 * answer has the header `connectum-fallback: true`. It is given by the outermost of timeout, breaker
 * and retry around this interceptor, once that has given up; all of them see the error.
 */
export function createFallbackInterceptor(options: FallbackOptions): Interceptor {
  checkKeys("fallback", options, ["handler", "codes", "skipMethods"] satisfies ReadonlyArray<
    keyof FallbackOptions
  >);
  const { handler, codes = defaultCodes, skipMethods = infrastructureMethods } = options;
  checkFunction("fallback.handler", handler);
  checkCodes("fallback.codes", codes);
  const answeredCodes = new Set(codes);
  const plans = new MethodPlans("fallback.skipMethods", skipMethods, ({ methodKind }) =>
    methodKind === "unary" || methodKind === "server_streaming" ? true : undefined,
  );
  const answer: Answer = async (error, request) => {
    if (!plans.get(request.method) || !answeredCodes.has(codeOf(error, request))) return undefined;
    const given = await handler(error, request);
    return given === undefined ? undefined : toResponse(request, given);
  };

  return (next) => {
    const claimant = {};
    const fn: AnyFn = (request) => {
      if (!plans.get(request.method)) return next(request);
      if (claimFallback(request, claimant)) return answered(next, request, answer);
      leaveFallback(request, answer);
      return next(request);
    };
    return markFallback(linkFallback(fn, next), answer) as ReturnType<Interceptor>;
  };
}

/** A response of its own: nothing of the request or of the failed attempt is in it. */
function toResponse(request: AnyRequest, given: unknown): AnyResponse {
  const { service, method } = request;
  const common = {
    service,
    method,
    header: new Headers({ "connectum-fallback": "true" }),
    trailer: new Headers(),
  };
  const toMessage = (init: unknown) => create(method.output, init as never);
  if (!request.stream) {
    return { ...common, stream: false, message: toMessage(given) } as AnyResponse;
  }
  return { ...common, stream: true, message: messagesOf(given, toMessage) } as AnyResponse;
}

async function* messagesOf(given: unknown, toMessage: (init: unknown) => unknown) {
  if (isMessage(given) || !isIterable(given)) {
    yield toMessage(given);
    return;
  }
  for await (const init of given) yield toMessage(init);
}

function isIterable(value: unknown): value is AsyncIterable<unknown> {
  return (
    typeof value === "object" &&
    value !== null &&
    (Symbol.asyncIterator in value || Symbol.iterator in value)
  );
}
