import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import {
  type AnyFn,
  type AnyRequest,
  type AnyResponse,
  type Call,
  callOfRequest,
  checkBoolean,
  checkKeys,
  checkMethodPatterns,
  checkMs,
  checkObject,
  comparePatterns,
  deadlineExceeded,
  infrastructureMethods,
  matchesMethodPattern,
} from "../core/internal.ts";
import { Deadline, DeadlineQueue } from "./deadline-queue.ts";
import { linkFallback, withFallback } from "./fallback-handoff.ts";
import { MethodPlans } from "./method-plans.ts";
import { markOwnLimit } from "./own-limits.ts";
import { StreamTimer } from "./stream-timer.ts";

export interface TimeoutOptions {
  /** Longest a call may take, in milliseconds. A client's shorter deadline wins. Default 30 000. */
  readonly timeoutMs?: number;
  /** Other values of `timeoutMs`, by method pattern; the most exact one wins. Default none. */
  readonly methods?: Readonly<Record<string, number>>;
  /** Limits the whole duration of streams as well. Default false. */
  readonly streams?: boolean;
  /** Longest gap between two messages of a stream, in milliseconds. Default: any. */
  readonly idleMs?: number;
  /** Method patterns to leave alone. Default `grpc.health.v1.Health/*` and `grpc.reflection.*`. */
  readonly skipMethods?: readonly string[];
}

interface Plan {
  readonly timeoutMs: number;
  readonly queue: DeadlineQueue;
}

/**
 * Ends a call that takes too long: the handler's signal fires with `deadline_exceeded`, the client is
 * answered at once, and what the handler still gives is dropped.
 */
export function createTimeoutInterceptor(options: TimeoutOptions = {}): Interceptor {
  checkKeys("timeout", options, [
    "timeoutMs",
    "methods",
    "streams",
    "idleMs",
    "skipMethods",
  ] satisfies ReadonlyArray<keyof TimeoutOptions>);
  const {
    timeoutMs = 30_000,
    methods = {},
    streams = false,
    idleMs,
    skipMethods = infrastructureMethods,
  } = options;
  checkMs("timeout.timeoutMs", timeoutMs, 1);
  checkMethodPatterns("timeout.methods", Object.keys(methods));
  checkObject("timeout.methods", methods);
  for (const [pattern, value] of Object.entries(methods)) {
    checkMs(`timeout.methods["${pattern}"]`, value, 1);
  }
  checkBoolean("timeout.streams", streams);
  if (idleMs !== undefined) checkMs("timeout.idleMs", idleMs, 1);
  const overrides = Object.entries(methods).sort(([a], [b]) => comparePatterns(b, a));
  const queues = new Map<number, DeadlineQueue>();
  const plans = new MethodPlans<Plan>("timeout.skipMethods", skipMethods, (method) => {
    const [, limit = timeoutMs] =
      overrides.find(([pattern]) => matchesMethodPattern(pattern, method)) ?? [];
    const queue = queues.get(limit) ?? new DeadlineQueue();
    queues.set(limit, queue);
    return { timeoutMs: limit, queue };
  });

  return (next) => {
    const unary = withFallback(next, (request) => {
      const { timeoutMs, queue } = plans.get(request.method) as Plan;
      const call = callOfRequest(request);
      return call
        ? limitCall(next, request, call, timeoutMs, queue)
        : limitForeign(next, request, timeoutMs, queue);
    });
    const stream = withFallback(next, (request) => {
      const { timeoutMs } = plans.get(request.method) as Plan;
      const timer = new StreamTimer(request, streams ? timeoutMs : undefined, idleMs);
      return timer.run(next);
    });
    const limitsStreams = streams || idleMs !== undefined;
    const limited: AnyFn = (request) => {
      if (request.stream && !limitsStreams) return next(request);
      if (!plans.get(request.method)) return next(request);
      return request.stream ? stream(request) : unary(request);
    };
    return linkFallback(limited, next) as ReturnType<Interceptor>;
  };
}

/** A call of our own server: its deadline moves, and no signal comes into being for it. */
function limitCall(
  next: AnyFn,
  request: AnyRequest,
  call: Call,
  timeoutMs: number,
  queue: DeadlineQueue,
): Promise<AnyResponse> {
  return new Promise((resolve, reject) => {
    const due = call.watchDeadline(performance.now() + timeoutMs);
    const deadline = new Deadline(due, () => {
      const reason = call.isServerDeadline ? tookLonger(timeoutMs) : deadlineExceeded();
      call.abort(reason);
      reject(reason);
    });
    // The deadlines that clients ask for are in no order.
    (call.isServerDeadline ? queue : new DeadlineQueue()).add(deadline);
    settle(next, request, deadline, resolve, reject);
  });
}

/** A call of a client, or of another server: only a signal of our own can end it. */
function limitForeign(
  next: AnyFn,
  request: AnyRequest,
  timeoutMs: number,
  queue: DeadlineQueue,
): Promise<AnyResponse> {
  const controller = new AbortController();
  const outer = request.signal;
  const follow = () => controller.abort(outer.reason);
  if (outer.aborted) follow();
  else outer.addEventListener("abort", follow);
  return new Promise<AnyResponse>((resolve, reject) => {
    const deadline = new Deadline(performance.now() + timeoutMs, () => {
      const reason = markOwnLimit(tookLonger(timeoutMs));
      controller.abort(reason);
      reject(reason);
    });
    queue.add(deadline);
    settle(next, { ...request, signal: controller.signal }, deadline, resolve, reject);
  }).finally(() => outer.removeEventListener("abort", follow));
}

function settle(
  next: AnyFn,
  request: AnyRequest,
  deadline: Deadline,
  resolve: (response: AnyResponse) => void,
  reject: (thrown: unknown) => void,
): void {
  const fail = (thrown: unknown) => {
    deadline.cancel();
    reject(thrown);
  };
  try {
    next(request).then((response) => {
      deadline.cancel();
      resolve(response);
    }, fail);
  } catch (thrown) {
    fail(thrown);
  }
}

function tookLonger(timeoutMs: number): ConnectError {
  return new ConnectError(`the call took longer than ${timeoutMs} ms`, Code.DeadlineExceeded);
}
