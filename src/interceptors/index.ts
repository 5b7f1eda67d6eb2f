export { type BulkheadOptions, createBulkheadInterceptor } from "./bulkhead.ts";
export {
  type CircuitBreakerInterceptor,
  type CircuitBreakerOptions,
  type CircuitState,
  createCircuitBreakerInterceptor,
} from "./circuit-breaker.ts";
export {
  createDefaultInterceptors,
  type DefaultInterceptorOptions,
} from "./default-interceptors.ts";
export {
  createErrorHandlerInterceptor,
  type ErrorHandlerOptions,
  type FailedCall,
} from "./error-handler.ts";
export { createFallbackInterceptor, type FallbackOptions } from "./fallback.ts";
export { createLoggerInterceptor, type LoggerLike, type LoggerOptions } from "./logger.ts";
export {
  createMethodFilterInterceptor,
  type MethodFilterMap,
  type MethodFilterOptions,
} from "./method-filter.ts";
export { createRedactInterceptor, type RedactOptions } from "./redact.ts";
export { createRetryInterceptor, type RetryOptions } from "./retry.ts";
export type { RetryBudgetOptions } from "./retry-budget.ts";
export { isSanitizableError, type SanitizableError } from "./sanitizable-error.ts";
export type { Scope } from "./scope.ts";
export { createSerializerInterceptor, type SerializerOptions } from "./serializer.ts";
export { createTimeoutInterceptor, type TimeoutOptions } from "./timeout.ts";
export {
  createValidationInterceptor,
  type ValidationInterceptor,
  type ValidationOptions,
} from "./validation.ts";
