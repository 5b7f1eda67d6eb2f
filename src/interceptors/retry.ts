import type { DescMethod } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, type Interceptor, type StreamResponse } from "@connectrpc/connect";
import { ConnectumError } from "../core/index.ts";
import {
  type AnyFn,
  type AnyRequest,
  type AnyResponse,
  callOfRequest,
  checkInteger,
  checkKeys,
  checkMs,
  checkNumber,
  infrastructureMethods,
  show,
} from "../core/internal.ts";
import { checkCodes } from "./check-codes.ts";
import { linkFallback, withFallback } from "./fallback-handoff.ts";
import { MethodPlans } from "./method-plans.ts";
import { replayable } from "./replayable.ts";
import { RetryBudget, type RetryBudgetOptions } from "./retry-budget.ts";
import { retryDelayOf } from "./retry-info.ts";
import { watchFirst } from "./watch-first.ts";

export interface RetryOptions {
  /** Attempts after the first. Default 3. */
  readonly maxRetries?: number;
  /** Longest pause before the first retry, doubled before each further one. Default 200 ms. */
  readonly initialDelayMs?: number;
  /** Longest pause before any retry. Default 5 000 ms. */
  readonly maxDelayMs?: number;
  /** Errors worth another try. Default `unavailable` and `resource_exhausted`. */
  readonly retryableCodes?: readonly Code[];
  /**
   * Methods that may run twice: those whose proto says so by `idempotency_level`, all, or those a
   * function picks. Default `"declared"`.
   */
  readonly idempotent?: "declared" | "all" | ((method: DescMethod) => boolean);
  /** How many retries there may be, relative to the calls; `false`: any number. */
  readonly budget?: RetryBudgetOptions | false;
  /** Method patterns to leave alone. Default `grpc.health.v1.Health/*` and `grpc.reflection.*`. */
  readonly skipMethods?: readonly string[];
}

interface Policy {
  readonly maxRetries: number;
  readonly initialDelayMs: number;
  readonly maxDelayMs: number;
  readonly retryableCodes: ReadonlySet<Code>;
  readonly budget: RetryBudget | undefined;
}

const ATTEMPTS_HEADER = "grpc-previous-rpc-attempts";
const PUSHBACK_HEADER = "grpc-retry-pushback-ms";

/**
 * Runs unary calls and server streams again that failed before their first message, with pauses of
 * random length. Never past the deadline, and not when the server says when to come back and that is
 * too late.
 */
export function createRetryInterceptor(options: RetryOptions = {}): Interceptor {
  const { idempotent = "declared", skipMethods = infrastructureMethods } = options;
  const policy = resolvePolicy(options);
  const isIdempotent = resolveIdempotent(idempotent);
  const plans = new MethodPlans("retry.skipMethods", skipMethods, (method) => {
    const isOneRequest = method.methodKind === "unary" || method.methodKind === "server_streaming";
    return isOneRequest && policy.maxRetries > 0 && isIdempotent(method) ? true : undefined;
  });

  return (next) => {
    const retried = withFallback(next, (request) => new Attempts(next, request, policy).run());
    const plain = withFallback(next, next);
    const fn: AnyFn = (request) => (plans.get(request.method) ? retried : plain)(request);
    return linkFallback(fn, next) as ReturnType<Interceptor>;
  };
}

/** One call and its attempts. */
class Attempts {
  readonly #next: AnyFn;
  readonly #policy: Policy;
  readonly #request: AnyRequest;
  #retries = 0;

  constructor(next: AnyFn, request: AnyRequest, policy: Policy) {
    this.#next = next;
    this.#policy = policy;
    this.#request = request.stream
      ? ({ ...request, message: replayable(request.message) } as AnyRequest)
      : request;
    policy.budget?.countCall();
  }

  async run(): Promise<AnyResponse> {
    for (;;) {
      try {
        const response = await this.#next(this.#request);
        return response.stream ? watchFirst(response, this.#replace) : response;
      } catch (thrown) {
        await this.#pause(thrown);
      }
    }
  }

  readonly #replace = async (thrown: unknown): Promise<StreamResponse> => {
    await this.#pause(thrown);
    for (;;) {
      try {
        return (await this.#next(this.#request)) as StreamResponse;
      } catch (again) {
        await this.#pause(again);
      }
    }
  };

  /** Waits until it is time for another attempt; throws the error if there is to be none. */
  async #pause(thrown: unknown): Promise<void> {
    const { maxRetries, retryableCodes, budget } = this.#policy;
    const isRetryable = thrown instanceof ConnectError && retryableCodes.has(thrown.code);
    if (!isRetryable || this.#retries >= maxRetries) throw thrown;
    const delay = this.#delay(thrown);
    const request = this.#request;
    const call = callOfRequest(request);
    const isTooLate = performance.now() + delay >= (call?.deadline ?? Number.POSITIVE_INFINITY);
    if (isTooLate || request.signal.aborted || !(budget?.take() ?? true)) throw thrown;
    this.#retries++;
    if (!(await sleep(delay, request.signal))) throw thrown;
    if (call) call.resetResponse();
    // Only a request that goes out has a server to tell.
    else request.header.set(ATTEMPTS_HEADER, String(this.#retries));
  }

  /** Milliseconds to wait; for ever where the server asks for no retry. */
  #delay(error: ConnectError): number {
    const pushback = error.metadata.get(PUSHBACK_HEADER);
    if (pushback !== null) return /^\d+$/.test(pushback) ? Number(pushback) : Infinity;
    const { initialDelayMs, maxDelayMs } = this.#policy;
    const ceiling = Math.min(maxDelayMs, initialDelayMs * 2 ** this.#retries);
    return Math.max(Math.random() * ceiling, retryDelayOf(error) ?? 0);
  }
}

/** False if the signal was aborted before the time was over. */
function sleep(ms: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const end = (isOver: boolean) => {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
      resolve(isOver);
    };
    const onAbort = () => end(false);
    const timer = setTimeout(() => end(true), ms);
    signal.addEventListener("abort", onAbort);
  });
}

function resolvePolicy(options: RetryOptions): Policy {
  checkKeys("retry", options, [
    "maxRetries",
    "initialDelayMs",
    "maxDelayMs",
    "retryableCodes",
    "idempotent",
    "budget",
    "skipMethods",
  ] satisfies ReadonlyArray<keyof RetryOptions>);
  const {
    maxRetries = 3,
    initialDelayMs = 200,
    maxDelayMs = 5_000,
    retryableCodes = [Code.Unavailable, Code.ResourceExhausted],
    budget = {},
  } = options;
  checkInteger("retry.maxRetries", maxRetries, 0, 100);
  checkMs("retry.initialDelayMs", initialDelayMs);
  checkMs("retry.maxDelayMs", maxDelayMs);
  checkCodes("retry.retryableCodes", retryableCodes);
  if (budget !== false) {
    checkKeys("retry.budget", budget, ["ratio", "windowMs", "minRetries"]);
    const { ratio = 0.1, windowMs = 10_000, minRetries = 10 } = budget;
    checkNumber("retry.budget.ratio", ratio, 0, 100);
    checkMs("retry.budget.windowMs", windowMs, 1);
    checkInteger("retry.budget.minRetries", minRetries, 0, Number.MAX_SAFE_INTEGER);
  }
  return {
    maxRetries,
    initialDelayMs,
    maxDelayMs,
    retryableCodes: new Set(retryableCodes),
    budget: budget === false ? undefined : new RetryBudget(budget),
  };
}

function resolveIdempotent(
  idempotent: NonNullable<RetryOptions["idempotent"]>,
): (method: DescMethod) => boolean {
  if (typeof idempotent === "function") return idempotent;
  if (idempotent === "all") return () => true;
  if (idempotent === "declared") {
    return ({ idempotency }) => idempotency !== MethodOptions_IdempotencyLevel.IDEMPOTENCY_UNKNOWN;
  }
  throw new ConnectumError(
    "INVALID_OPTION",
    `retry.idempotent must be "declared", "all" or a function, got ${show(idempotent)}`,
  );
}
