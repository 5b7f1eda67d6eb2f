import type { DescMethod } from "@bufbuild/protobuf";
import { Code, type Interceptor } from "@connectrpc/connect";
import {
  type AnyFn,
  type AnyRequest,
  type AnyResponse,
  callOfRequest,
  checkFunction,
  checkInteger,
  checkKeys,
  checkMs,
  checkNumber,
  infrastructureMethods,
  methodName,
} from "../core/internal.ts";
import { Breaker, type CircuitState, type Outcome } from "./breaker.ts";
import { linkFallback, withFallback } from "./fallback-handoff.ts";
import { watchMessages, withMessages } from "./message-stream.ts";
import { MethodPlans } from "./method-plans.ts";
import { isOwnLimit } from "./own-limits.ts";
import { errorWithRetryInfo } from "./retry-info.ts";
import { codeOf } from "./rpc-error.ts";
import { checkScope, type Scope, scopeKey } from "./scope.ts";

export type { CircuitState };

export interface CircuitBreakerOptions {
  /** What shares a breaker: a method's calls, a service's, all. Default `"method"`. */
  readonly scope?: Scope;
  /** Share of failures that opens the circuit. Default 50. */
  readonly errorThresholdPercentage?: number;
  /** Calls in the window below which it never opens. Default 20. */
  readonly volumeThreshold?: number;
  /** How long calls count, in milliseconds. Default 10 000. */
  readonly rollingWindowMs?: number;
  /** How long it stays open before one call may probe, in milliseconds. Default 30 000. */
  readonly openMs?: number;
  /**
   * Which errors count. Default: unknown, internal, unavailable, data_loss, errors that are no
   * `ConnectError`, and deadline_exceeded unless the client set that deadline itself.
   */
  readonly isFailure?: (error: unknown) => boolean;
  /** `method` is `pkg.Service/Method`, or `pkg.Service/*` or `*` with a wider `scope`. */
  readonly onStateChange?: (change: { method: string; state: CircuitState }) => void;
  /** Method patterns to leave alone. Default `grpc.health.v1.Health/*` and `grpc.reflection.*`. */
  readonly skipMethods?: readonly string[];
}

export interface CircuitBreakerInterceptor extends Interceptor {
  /** The circuit of a method, given as `pkg.Service/Method` or its descriptor. */
  state(method: string | DescMethod): CircuitState;
}

interface Plan {
  readonly name: string;
  readonly breaker: Breaker;
}

/**
 * Refuses calls to a method that keeps failing with `unavailable`, until one probe succeeds. Streams
 * count by how they end; answers that are the client's fault never open the circuit.
 */
export function createCircuitBreakerInterceptor(
  options: CircuitBreakerOptions = {},
): CircuitBreakerInterceptor {
  const {
    scope = "method",
    isFailure,
    onStateChange,
    skipMethods = infrastructureMethods,
  } = options;
  const limits = resolveLimits(options);
  checkScope("circuitBreaker.scope", scope);
  if (isFailure !== undefined) checkFunction("circuitBreaker.isFailure", isFailure);
  if (onStateChange !== undefined) checkFunction("circuitBreaker.onStateChange", onStateChange);
  const breakers = new Map<string, Breaker>();
  const plans = new MethodPlans<Plan>("circuitBreaker.skipMethods", skipMethods, (method) => {
    const name = scopeKey(scope, method);
    const report = (state: CircuitState) => onStateChange?.({ method: name, state });
    const breaker = breakers.get(name) ?? new Breaker({ ...limits, onStateChange: report });
    breakers.set(name, breaker);
    return { name, breaker };
  });
  const judge: Judge = (thrown, request) => {
    const outcome = outcomeOf(thrown, request);
    if (!isFailure) return outcome;
    if (isFailure(thrown)) return "failure";
    return outcome === "failure" ? "success" : outcome;
  };

  const interceptor: Interceptor = (next) => {
    const guarded = withFallback(next, (request) => {
      const { name, breaker } = plans.get(request.method) as Plan;
      if (breaker.isClosed) return run(next, request, (outcome) => breaker.count(outcome), judge);
      const settle = breaker.probe();
      if (!settle) return Promise.reject(openError(name, breaker.retryDelayMs));
      return run(next, request, settle, judge);
    });
    const fn: AnyFn = (request) => (plans.get(request.method) ? guarded(request) : next(request));
    return linkFallback(fn, next) as ReturnType<Interceptor>;
  };
  return Object.assign(interceptor, {
    state(method: string | DescMethod): CircuitState {
      const name = typeof method === "string" ? method : methodName(method);
      const service = `${name.slice(0, name.indexOf("/"))}/*`;
      const key = scope === "method" ? name : scope === "service" ? service : "*";
      return breakers.get(key)?.state ?? "closed";
    },
  });
}

type Judge = (thrown: unknown, request: AnyRequest) => Outcome;

/** Runs the call and tells `settle` once how it came out: at its end, or when its time is over. */
async function run(
  next: AnyFn,
  request: AnyRequest,
  settle: (outcome: Outcome) => void,
  judge: Judge,
): Promise<AnyResponse> {
  let isTold = false;
  let hasAnswered = false;
  const tell = (outcome: Outcome) => {
    if (isTold) return;
    isTold = true;
    settle(outcome);
  };
  const fail = (thrown: unknown) => {
    if (isTold) return thrown;
    const outcome = judge(thrown, request);
    // Clients end many streams, and such a method must not seem to be down for ever.
    tell(outcome === "undecided" && hasAnswered ? "success" : outcome);
    return thrown;
  };
  listen(request, fail);
  try {
    const response = await next(request);
    if (response.stream) {
      const onMessage = <T>(message: T): T => {
        hasAnswered = true;
        return message;
      };
      const succeed = () => tell("success");
      const hooks = { onMessage, onDone: succeed, onLeave: succeed, onError: fail };
      return withMessages(response, watchMessages(response.message, hooks));
    }
    tell("success");
    return response;
  } catch (thrown) {
    throw fail(thrown);
  }
}

/** A handler that hangs must count as well, and it never ends by itself. */
function listen(request: AnyRequest, fail: (thrown: unknown) => unknown): void {
  const call = callOfRequest(request);
  if (call) {
    call.onAbort(fail);
    return;
  }
  const { signal } = request;
  signal.addEventListener("abort", () => fail(signal.reason), { once: true });
}

const serverFaults: ReadonlySet<Code> = new Set([
  Code.Unknown,
  Code.Internal,
  Code.Unavailable,
  Code.DataLoss,
]);

function outcomeOf(thrown: unknown, request: AnyRequest): Outcome {
  const code = codeOf(thrown, request);
  if (code === Code.Canceled) return "undecided";
  if (code === Code.DeadlineExceeded) return isOwnLimit(thrown, request) ? "failure" : "undecided";
  return serverFaults.has(code) ? "failure" : "success";
}

function openError(name: string, delayMs: number) {
  const when = delayMs > 0 ? `tries again in ${Math.ceil(delayMs)} ms` : "is trying again";
  return errorWithRetryInfo(
    `${name} keeps failing and is not called; the circuit ${when}`,
    Code.Unavailable,
    delayMs,
  );
}

function resolveLimits(options: CircuitBreakerOptions) {
  checkKeys("circuitBreaker", options, [
    "scope",
    "errorThresholdPercentage",
    "volumeThreshold",
    "rollingWindowMs",
    "openMs",
    "isFailure",
    "onStateChange",
    "skipMethods",
  ] satisfies ReadonlyArray<keyof CircuitBreakerOptions>);
  const {
    errorThresholdPercentage = 50,
    volumeThreshold = 20,
    rollingWindowMs = 10_000,
    openMs = 30_000,
  } = options;
  checkNumber("circuitBreaker.errorThresholdPercentage", errorThresholdPercentage, 1, 100);
  checkInteger("circuitBreaker.volumeThreshold", volumeThreshold, 1, Number.MAX_SAFE_INTEGER);
  checkMs("circuitBreaker.rollingWindowMs", rollingWindowMs, 10);
  checkMs("circuitBreaker.openMs", openMs, 1);
  return { errorThresholdPercentage, volumeThreshold, rollingWindowMs, openMs };
}
