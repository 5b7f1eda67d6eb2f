export {
  createOtelClientInterceptor,
  type OtelClientInterceptorOptions,
} from "./otel-client-interceptor.ts";
export { createOtelInterceptor, type OtelInterceptorOptions } from "./otel-interceptor.ts";
export type { Clock, FilteredMethod, OtelCallOptions } from "./otel-options.ts";
export type { Semconv } from "./semconv.ts";
