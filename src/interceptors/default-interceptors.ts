import type { Interceptor } from "@connectrpc/connect";
import { ConnectumError } from "../core/index.ts";
import { checkFunction, checkKeys, show } from "../core/internal.ts";
import { type BulkheadOptions, createBulkheadInterceptor } from "./bulkhead.ts";
import { type CircuitBreakerOptions, createCircuitBreakerInterceptor } from "./circuit-breaker.ts";
import { createErrorHandlerInterceptor, type ErrorHandlerOptions } from "./error-handler.ts";
import { createFallbackInterceptor, type FallbackOptions } from "./fallback.ts";
import { createLoggerInterceptor, type LoggerOptions } from "./logger.ts";
import { createRedactInterceptor, type RedactOptions } from "./redact.ts";
import { createRetryInterceptor, type RetryOptions } from "./retry.ts";
import { createSerializerInterceptor, type SerializerOptions } from "./serializer.ts";
import { createTimeoutInterceptor, type TimeoutOptions } from "./timeout.ts";
import { createValidationInterceptor, type ValidationOptions } from "./validation.ts";

/** `false` leaves one out, `true` takes it with its defaults, an object sets its options. */
export interface DefaultInterceptorOptions {
  /** Default on. */
  readonly errorHandler?: boolean | ErrorHandlerOptions;
  /** Default off. */
  readonly logger?: boolean | LoggerOptions;
  /** An interceptor, for example of `connectum/otel`. Default off. */
  readonly tracing?: false | Interceptor;
  /** One interceptor, or authentication and authorization in that order. Default off. */
  readonly auth?: false | Interceptor | readonly Interceptor[];
  /** Default on, 30 s. */
  readonly timeout?: boolean | TimeoutOptions;
  /** Default on, 1000 running and 1000 queued. */
  readonly bulkhead?: boolean | BulkheadOptions;
  /** Default on, one circuit for each method. */
  readonly circuitBreaker?: boolean | CircuitBreakerOptions;
  /** Default on, for methods whose proto says that they may run twice. */
  readonly retry?: boolean | RetryOptions;
  /** Default off: it needs a handler. */
  readonly fallback?: false | FallbackOptions;
  /** Default on. */
  readonly validation?: boolean | ValidationOptions;
  /** Default off. */
  readonly serializer?: boolean | SerializerOptions;
  /** Default off. */
  readonly redact?: boolean | RedactOptions;
}

type Key = keyof DefaultInterceptorOptions;

interface Place {
  readonly key: Key;
  readonly isOn: boolean;
  create(given: never): Interceptor | readonly Interceptor[];
}

/** Outermost first. The README has the reason for each place, and a test keeps both equal. */
export const chain: readonly Place[] = [
  { key: "errorHandler", isOn: true, create: createErrorHandlerInterceptor },
  { key: "logger", isOn: false, create: createLoggerInterceptor },
  { key: "tracing", isOn: false, create: given("tracing") },
  { key: "auth", isOn: false, create: given("auth") },
  { key: "timeout", isOn: true, create: createTimeoutInterceptor },
  { key: "bulkhead", isOn: true, create: createBulkheadInterceptor },
  { key: "circuitBreaker", isOn: true, create: createCircuitBreakerInterceptor },
  { key: "retry", isOn: true, create: createRetryInterceptor },
  { key: "fallback", isOn: false, create: createFallbackInterceptor },
  { key: "validation", isOn: true, create: createValidationInterceptor },
  { key: "serializer", isOn: false, create: createSerializerInterceptor },
  { key: "redact", isOn: false, create: createRedactInterceptor },
];

/** What `true` cannot mean, and what to pass instead. */
const needs: Readonly<Partial<Record<Key, string>>> = {
  tracing: "an interceptor, for example tracing: createOtelInterceptor()",
  auth: "an interceptor or an array, for example auth: createJwtAuthInterceptor({ ... })",
  fallback: "a handler, for example fallback: { handler: () => ({}) }",
};

/**
 * The chain of interceptors for a production service, in its one order. With no options it bounds
 * errors, time, concurrency and load, and checks requests; a healthy service notices none of it.
 */
export function createDefaultInterceptors(options: DefaultInterceptorOptions = {}): Interceptor[] {
  checkKeys(
    "createDefaultInterceptors()",
    options,
    chain.map(({ key }) => key),
  );
  return chain.flatMap(({ key, isOn, create }) => {
    const { [key]: option = isOn } = options;
    if (option === false) return [];
    const need = needs[key];
    if (option === true && need !== undefined) {
      throw new ConnectumError("INVALID_OPTION", `${key}: true says too little; pass ${need}`);
    }
    if (typeof option !== "object" && typeof option !== "function" && option !== true) {
      throw new ConnectumError(
        "INVALID_OPTION",
        `${key} must be true, false or an object of options, got ${show(option)}`,
      );
    }
    return create((option === true ? {} : option) as never);
  });
}

/** Ready interceptors take their place as they are. */
function given(key: Key) {
  return (option: Interceptor | readonly Interceptor[]): readonly Interceptor[] => {
    const list = Array.isArray(option)
      ? (option as readonly Interceptor[])
      : [option as Interceptor];
    for (const interceptor of list) checkFunction(key, interceptor);
    return list;
  };
}
