import {
  booleanOf,
  checkUrl,
  choiceOf,
  type Environment,
  integerOf,
  listOf,
  pairsOf,
  textOf,
  wrong,
} from "./environment.ts";
import { type SamplerChoice, samplerFromEnv } from "./sampler.ts";

export type Signal = "traces" | "metrics" | "logs";

/** Where a signal goes; OTLP in one of its three forms. */
export type ExporterName =
  | "otlp/http"
  | "otlp/json"
  | "otlp/grpc"
  | "console"
  | "prometheus"
  | "none";

export interface BatchLimits {
  readonly scheduledDelayMillis: number;
  readonly exportTimeoutMillis: number;
  readonly maxQueueSize: number;
  readonly maxExportBatchSize: number;
}

/** What the `OTEL_*` variables say, checked. Endpoints and headers are read by the exporters. */
export interface OtelEnvironment {
  readonly isDisabled: boolean;
  readonly serviceName: string | undefined;
  readonly resourceAttributes: Readonly<Record<string, string>>;
  /** Undefined where nothing is said. */
  readonly exporters: Readonly<Record<Signal, readonly ExporterName[] | undefined>>;
  readonly protocols: Readonly<Record<Signal, ExporterName>>;
  readonly sampler: SamplerChoice;
  readonly hasPropagators: boolean;
  readonly spanBatches: BatchLimits;
  readonly logBatches: BatchLimits;
  readonly metricIntervalMillis: number;
  readonly metricTimeoutMillis: number;
  readonly prometheusHost: string | undefined;
  readonly prometheusPort: number | undefined;
}

const signals: readonly Signal[] = ["traces", "metrics", "logs"];

/** Throws INVALID_OPTION naming the variable, the rule and the value. */
export function readOtelEnvironment(env: Environment = process.env): OtelEnvironment {
  for (const infix of ["", "_TRACES", "_METRICS", "_LOGS"]) checkOtlp(env, infix);
  const protocols = bySignal((signal) => protocolOf(env, signal));
  return {
    isDisabled: booleanOf(env, "OTEL_SDK_DISABLED"),
    serviceName: textOf(env, "OTEL_SERVICE_NAME"),
    resourceAttributes: pairsOf(env, "OTEL_RESOURCE_ATTRIBUTES"),
    exporters: bySignal((signal) => exportersOf(env, signal, protocols[signal])),
    protocols,
    sampler: samplerFromEnv(env),
    hasPropagators: hasPropagators(env),
    spanBatches: batchLimitsOf(env, "OTEL_BSP", 5_000),
    logBatches: batchLimitsOf(env, "OTEL_BLRP", 1_000),
    metricIntervalMillis: integerOf(env, "OTEL_METRIC_EXPORT_INTERVAL", 1) ?? 60_000,
    metricTimeoutMillis: integerOf(env, "OTEL_METRIC_EXPORT_TIMEOUT", 1) ?? 30_000,
    prometheusHost: textOf(env, "OTEL_EXPORTER_PROMETHEUS_HOST"),
    prometheusPort: integerOf(env, "OTEL_EXPORTER_PROMETHEUS_PORT", 0, 65_535),
  };
}

function bySignal<T>(read: (signal: Signal) => T): Record<Signal, T> {
  return Object.fromEntries(signals.map((signal) => [signal, read(signal)])) as Record<Signal, T>;
}

function checkOtlp(env: Environment, infix: string): void {
  const prefix = `OTEL_EXPORTER_OTLP${infix}`;
  checkUrl(env, `${prefix}_ENDPOINT`);
  pairsOf(env, `${prefix}_HEADERS`);
  integerOf(env, `${prefix}_TIMEOUT`, 1);
  choiceOf(env, `${prefix}_COMPRESSION`, ["gzip", "none"]);
}

function protocolOf(env: Environment, signal: Signal): ExporterName {
  const choices = ["grpc", "http/protobuf", "http/json"] as const;
  const own = choiceOf(env, `OTEL_EXPORTER_OTLP_${signal.toUpperCase()}_PROTOCOL`, choices);
  const protocol = own ?? choiceOf(env, "OTEL_EXPORTER_OTLP_PROTOCOL", choices);
  if (protocol === "grpc") return "otlp/grpc";
  return protocol === "http/json" ? "otlp/json" : "otlp/http";
}

/** An endpoint without a word about exporters means OTLP, as OpenTelemetry has it by default. */
function exportersOf(
  env: Environment,
  signal: Signal,
  otlp: ExporterName,
): readonly ExporterName[] | undefined {
  const upper = signal.toUpperCase();
  const name = `OTEL_${upper}_EXPORTER`;
  const list = listOf(env, name);
  if (list.length === 0) {
    const hasEndpoint =
      textOf(env, "OTEL_EXPORTER_OTLP_ENDPOINT") ??
      textOf(env, `OTEL_EXPORTER_OTLP_${upper}_ENDPOINT`);
    return hasEndpoint ? [otlp] : undefined;
  }
  return list.map((item) => {
    if (item === "otlp") return otlp;
    if (item === "otlp/http" || item === "otlp/grpc") return item;
    if (item === "console" || item === "none") return item;
    if (item === "prometheus" && signal === "metrics") return item;
    const choices = ["otlp", "otlp/http", "otlp/grpc", "console", "none"];
    if (signal === "metrics") choices.push("prometheus");
    throw wrong(env, name, `must be a list of ${choices.join(", ")}`);
  });
}

function hasPropagators(env: Environment): boolean {
  const name = "OTEL_PROPAGATORS";
  const list = [...new Set(listOf(env, name))].sort().join();
  if (list === "none") return false;
  if (list === "" || list === "baggage,tracecontext") return true;
  const rule =
    "must be tracecontext,baggage or none; for others set none and call propagation.setGlobalPropagator()";
  throw wrong(env, name, rule);
}

function batchLimitsOf(env: Environment, prefix: string, delayMillis: number): BatchLimits {
  const maxQueueSize = integerOf(env, `${prefix}_MAX_QUEUE_SIZE`, 1) ?? 2_048;
  const name = `${prefix}_MAX_EXPORT_BATCH_SIZE`;
  const maxExportBatchSize = integerOf(env, name, 1) ?? Math.min(512, maxQueueSize);
  if (maxExportBatchSize > maxQueueSize) {
    throw wrong(env, name, `must not be above ${prefix}_MAX_QUEUE_SIZE, which is ${maxQueueSize}`);
  }
  return {
    scheduledDelayMillis: integerOf(env, `${prefix}_SCHEDULE_DELAY`, 1) ?? delayMillis,
    exportTimeoutMillis: integerOf(env, `${prefix}_EXPORT_TIMEOUT`, 1) ?? 30_000,
    maxQueueSize,
    maxExportBatchSize,
  };
}
