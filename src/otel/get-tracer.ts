import { type Meter, metrics, type Tracer, trace } from "@opentelemetry/api";
import { instrumentationScope } from "./instrumentation-scope.ts";

/** A tracer of the global provider, also of one that is registered later. */
export function getTracer(name: string = instrumentationScope.name, version?: string): Tracer {
  return trace.getTracer(name, version);
}

/** A meter of the global provider. Take it after `initProvider`: before, it records nothing. */
export function getMeter(name: string = instrumentationScope.name, version?: string): Meter {
  return metrics.getMeter(name, version);
}
