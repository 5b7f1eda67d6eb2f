export { getLogger, type LoggerOptions, type LogLevel, type OtelLogger } from "./get-logger.ts";
export { getMeter, getTracer } from "./get-tracer.ts";
export { type LogEnvConfig, loggerFromEnv } from "./logger-from-env.ts";
export {
  createOtelClientInterceptor,
  type OtelClientInterceptorOptions,
} from "./otel-client-interceptor.ts";
export { createOtelInterceptor, type OtelInterceptorOptions } from "./otel-interceptor.ts";
export type { Clock, FilteredMethod, OtelCallOptions } from "./otel-options.ts";
export { getProvider, initProvider, shutdownProvider } from "./provider/init-provider.ts";
export type { ExporterName } from "./provider/otel-environment.ts";
export type { PrometheusOptions } from "./provider/prometheus.ts";
export type { LogExporter, ProviderOptions } from "./provider/provider-options.ts";
export type { OtelProvider } from "./provider/set-up-provider.ts";
export type { LogProvider, LogRecord } from "./provider/signals.ts";
export type { Semconv } from "./semconv.ts";
export { type OtelShutdownHookOptions, otelShutdownHook } from "./shutdown-hook.ts";
export { type TraceAllOptions, traceAll } from "./trace-all.ts";
export { type TraceLogFields, traceLogMixin } from "./trace-log-mixin.ts";
export { type TracedOptions, traced } from "./traced.ts";
