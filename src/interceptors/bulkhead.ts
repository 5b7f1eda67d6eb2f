import type { DescMethod } from "@bufbuild/protobuf";
import type { Interceptor, StreamResponse } from "@connectrpc/connect";
import {
  type AnyFn,
  type AnyRequest,
  type AnyResponse,
  checkBoolean,
  checkInteger,
  checkKeys,
  checkMs,
  infrastructureMethods,
} from "../core/internal.ts";
import { linkFallback } from "./fallback-handoff.ts";
import { Limiter } from "./limiter.ts";
import { watchMessages, withMessages } from "./message-stream.ts";
import { MethodPlans } from "./method-plans.ts";
import { checkScope, type Scope, scopeKey } from "./scope.ts";

export interface BulkheadOptions {
  /** Calls that run at once. Default 1000. */
  readonly maxConcurrent?: number;
  /** Calls that wait for a place, first come first served. More are refused. Default 1000. */
  readonly maxQueue?: number;
  /** What shares the places: all calls, those of a service, those of a method. Default `"server"`. */
  readonly scope?: Scope;
  /** Longest a call waits for a place, in milliseconds. Default: as long as its deadline lets it. */
  readonly queueTimeoutMs?: number;
  /** Streams take a place too, until they end. Default false. */
  readonly streams?: boolean;
  /** Method patterns to leave alone. Default `grpc.health.v1.Health/*` and `grpc.reflection.*`. */
  readonly skipMethods?: readonly string[];
}

/**
 * Bounds how many calls run at once. Over the limit calls wait, and over that they fail with
 * `resource_exhausted` before any handler runs. A call keeps its place until its handler has ended,
 * even if its client was answered before.
 */
export function createBulkheadInterceptor(options: BulkheadOptions = {}): Interceptor {
  checkKeys("bulkhead", options, [
    "maxConcurrent",
    "maxQueue",
    "scope",
    "queueTimeoutMs",
    "streams",
    "skipMethods",
  ] satisfies ReadonlyArray<keyof BulkheadOptions>);
  const {
    maxConcurrent = 1000,
    maxQueue = 1000,
    scope = "server",
    queueTimeoutMs,
    streams = false,
    skipMethods = infrastructureMethods,
  } = options;
  checkInteger("bulkhead.maxConcurrent", maxConcurrent, 1, Number.MAX_SAFE_INTEGER);
  checkInteger("bulkhead.maxQueue", maxQueue, 0, Number.MAX_SAFE_INTEGER);
  checkScope("bulkhead.scope", scope);
  if (queueTimeoutMs !== undefined) checkMs("bulkhead.queueTimeoutMs", queueTimeoutMs, 1);
  checkBoolean("bulkhead.streams", streams);
  const limiters = new Map<string, Limiter>();
  const plans = new MethodPlans("bulkhead.skipMethods", skipMethods, (method: DescMethod) => {
    const key = scopeKey(scope, method);
    const limiter = limiters.get(key) ?? new Limiter({ maxConcurrent, maxQueue, queueTimeoutMs });
    limiters.set(key, limiter);
    return limiter;
  });

  return (next) => {
    const bounded: AnyFn = (request) => {
      const limiter = request.stream && !streams ? undefined : plans.get(request.method);
      if (!limiter) return next(request);
      return limiter.tryEnter()
        ? run(next, request, limiter)
        : limiter.enter(request).then(() => run(next, request, limiter));
    };
    return linkFallback(bounded, next) as ReturnType<Interceptor>;
  };
}

async function run(next: AnyFn, request: AnyRequest, limiter: Limiter): Promise<AnyResponse> {
  let isHeldByStream = false;
  try {
    const response = await next(request);
    isHeldByStream = response.stream;
    return response.stream ? releaseAtEnd(response, limiter) : response;
  } finally {
    if (!isHeldByStream) limiter.leave();
  }
}

function releaseAtEnd(response: StreamResponse, limiter: Limiter): StreamResponse {
  const leave = () => limiter.leave();
  const messages = watchMessages(response.message, {
    onDone: leave,
    onLeave: leave,
    onError(thrown) {
      leave();
      return thrown;
    },
  });
  return withMessages(response, messages);
}
