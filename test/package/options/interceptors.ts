import type {
  BulkheadOptions,
  CircuitBreakerOptions,
  DefaultInterceptorOptions,
  ErrorHandlerOptions,
  FallbackOptions,
  LoggerOptions,
  MethodFilterOptions,
  RedactOptions,
  RetryBudgetOptions,
  RetryOptions,
  SerializerOptions,
  TimeoutOptions,
  ValidationOptions,
} from "connectum/interceptors";
import type { Proofs, Within } from "./proof.ts";

const bulkhead = "test/interceptors/bulkhead.test.ts";
const circuitBreaker = "test/interceptors/circuit-breaker.test.ts";
const defaultInterceptors = "test/interceptors/default-interceptors.test.ts";
const errorHandler = "test/interceptors/error-handler.test.ts";
const fallback = "test/interceptors/fallback.test.ts";
const logger = "test/interceptors/logger.test.ts";
const redact = "test/interceptors/redact.test.ts";
const retry = "test/interceptors/retry.test.ts";
const timeout = "test/interceptors/timeout.test.ts";
const validation = "test/interceptors/validation.test.ts";

export const interceptorOptions: Proofs<{
  createDefaultInterceptors: keyof DefaultInterceptorOptions;
  createErrorHandlerInterceptor: keyof ErrorHandlerOptions;
  createLoggerInterceptor: keyof LoggerOptions;
  createTimeoutInterceptor: keyof TimeoutOptions;
  createBulkheadInterceptor: keyof BulkheadOptions;
  createCircuitBreakerInterceptor: keyof CircuitBreakerOptions;
  createRetryInterceptor: keyof RetryOptions | Within<"budget", RetryBudgetOptions>;
  createFallbackInterceptor: keyof FallbackOptions;
  createValidationInterceptor: keyof ValidationOptions;
  createSerializerInterceptor: keyof SerializerOptions;
  createRedactInterceptor: keyof RedactOptions;
  createMethodFilterInterceptor: keyof MethodFilterOptions;
}> = {
  createDefaultInterceptors: {
    errorHandler: [
      defaultInterceptors,
      "no options: what makes a service robust and needs nothing",
    ],
    logger: [defaultInterceptors, "the chain of the README is the chain of the code"],
    tracing: [defaultInterceptors, "tracing and auth are taken as they are, auth also as a list"],
    auth: [defaultInterceptors, "tracing and auth are taken as they are, auth also as a list"],
    timeout: [defaultInterceptors, "no options: what makes a service robust and needs nothing"],
    bulkhead: [defaultInterceptors, "no options: what makes a service robust and needs nothing"],
    circuitBreaker: [
      defaultInterceptors,
      "no options: what makes a service robust and needs nothing",
    ],
    retry: [defaultInterceptors, "no options: what makes a service robust and needs nothing"],
    fallback: [defaultInterceptors, "the chain of the README is the chain of the code"],
    validation: [defaultInterceptors, "no options: what makes a service robust and needs nothing"],
    serializer: [defaultInterceptors, "serializer and redact are off unless they are asked for"],
    redact: [defaultInterceptors, "serializer and redact are off unless they are asked for"],
  },
  createErrorHandlerInterceptor: {
    mapError: [errorHandler, "mapError gives foreign errors a meaning, and may fail itself"],
    onError: [
      errorHandler,
      "no client sees a word of a foreign error, before or after messages; onError sees all",
    ],
    logErrors: [
      errorHandler,
      "logErrors writes every error to the logger, with its stack only if asked",
    ],
    includeStackTrace: [
      errorHandler,
      "logErrors writes every error to the logger, with its stack only if asked",
    ],
    logger: [
      errorHandler,
      "logErrors writes every error to the logger, with its stack only if asked",
    ],
  },
  createLoggerInterceptor: {
    logger: [logger, "takes pino, and uses pino where it is given nothing"],
    level: [
      logger,
      "errors of the server's making at error, the client's at warn, the rest at level",
    ],
    payloads: [logger, "payloads are cut, and what cannot be written breaks no call"],
    maxPayloadBytes: [logger, "payloads are cut, and what cannot be written breaks no call"],
    skip: [logger, "skip has no lines, health by default"],
  },
  createTimeoutInterceptor: {
    timeoutMs: [
      timeout,
      "the shorter of the client's deadline and the limit counts; handlers are told the client's",
    ],
    methods: [timeout, "methods has other limits by pattern, the most exact one first"],
    streams: [timeout, "a request message counts as a sign of life"],
    idleMs: [
      timeout,
      "idleMs ends a stream whose next message does not come, while somebody waits for it",
    ],
    skipMethods: [timeout, "skipMethods are not limited"],
  },
  createBulkheadInterceptor: {
    maxConcurrent: [bulkhead, "first come, first served"],
    maxQueue: [bulkhead, "runs so many, queues so many, refuses the rest before any handler runs"],
    scope: [bulkhead, "scope says what shares the places"],
    queueTimeoutMs: [bulkhead, "queueTimeoutMs limits the wait; without it the deadline does"],
    streams: [bulkhead, "runs so many, queues so many, refuses the rest before any handler runs"],
    skipMethods: [bulkhead, "skipMethods take no place, and wait for none"],
  },
  createCircuitBreakerInterceptor: {
    scope: [circuitBreaker, "scope makes methods share a breaker"],
    errorThresholdPercentage: [
      circuitBreaker,
      "below the volume or the threshold it stays closed; calls are forgotten after the window",
    ],
    volumeThreshold: [
      circuitBreaker,
      "half-open lets one probe through, closes when it succeeds, opens when it fails",
    ],
    rollingWindowMs: [
      "test/interceptors/circuit-breaker-window.test.ts",
      "of 1 000 ms has a failure in it that is ",
    ],
    openMs: [
      circuitBreaker,
      "half-open lets one probe through, closes when it succeeds, opens when it fails",
    ],
    isFailure: [circuitBreaker, "isFailure decides instead"],
    onStateChange: [
      circuitBreaker,
      "half-open lets one probe through, closes when it succeeds, opens when it fails",
    ],
    skipMethods: [circuitBreaker, "skipMethods are called however often they fail"],
  },
  createRetryInterceptor: {
    maxRetries: [retry, "gives up after maxRetries, at once for other codes"],
    initialDelayMs: [retry, "the pauses grow, are random, and have a limit"],
    maxDelayMs: [retry, "the pauses grow, are random, and have a limit"],
    retryableCodes: [retry, "retryableCodes are tried again, and no others"],
    idempotent: [retry, "only methods that may run twice: declared, all, or picked"],
    budget: [retry, "the budget has a ratio, a window and a least number of one's own"],
    skipMethods: ["test/interceptors/retry-pauses.test.ts", "takes every option"],
    "budget.ratio": [retry, "the budget has a ratio, a window and a least number of one's own"],
    "budget.windowMs": [retry, "the budget has a ratio, a window and a least number of one's own"],
    "budget.minRetries": [
      retry,
      "the budget has a ratio, a window and a least number of one's own",
    ],
  },
  createFallbackInterceptor: {
    handler: [fallback, "alone it answers by itself; codes says for what"],
    codes: [fallback, "alone it answers by itself; codes says for what"],
    skipMethods: [fallback, "skipMethods fail as they are"],
  },
  createValidationInterceptor: {
    validateResponses: [
      validation,
      "validateResponses turns a bad answer into internal, without a word of it",
    ],
    registry: [
      validation,
      "registry has the predefined rules of one's own, which do not compile without it",
    ],
    skipMethods: [validation, "messages without rules are not looked at, skipped methods neither"],
  },
  createSerializerInterceptor: {
    jsonOptions: [
      "test/interceptors/serializer.test.ts",
      "jsonOptions are those of the handlers' JSON",
    ],
    skipMethods: ["test/interceptors/serializer.test.ts", "skipped methods keep their messages"],
  },
  createRedactInterceptor: {
    fields: [redact, "mask and fields, in JSON of the serializer as well"],
    mask: [redact, "mask and fields, in JSON of the serializer as well"],
    unless: [redact, "unless shows everything to those who may see it"],
  },
  createMethodFilterInterceptor: {
    strict: [
      "test/interceptors/method-filter.test.ts",
      "strict: a key that matches no method stops the start",
    ],
  },
};
