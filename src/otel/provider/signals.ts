import { type Context, context, metrics, propagation, trace } from "@opentelemetry/api";
import type { Resource } from "@opentelemetry/resources";
import type { LogRecordExporter } from "@opentelemetry/sdk-logs";
import {
  type IMetricReader,
  MeterProvider,
  PeriodicExportingMetricReader,
  type PushMetricExporter,
} from "@opentelemetry/sdk-metrics";
import {
  BatchSpanProcessor,
  NodeTracerProvider,
  type SpanExporter,
} from "@opentelemetry/sdk-trace-node";
import type { Logger } from "../../core/index.ts";
import { loadLogsApi, loadLogsSdk } from "./exporters.ts";
import type { OtelEnvironment } from "./otel-environment.ts";
import { reportFailures } from "./report-failures.ts";
import { createSampler } from "./sampler.ts";

/** What is used of the `LoggerProvider` of `@opentelemetry/sdk-logs`. */
export interface LogProvider {
  getLogger(name: string, version?: string): { emit(record: LogRecord): void };
  forceFlush(): Promise<void>;
}

export interface LogRecord {
  readonly severityNumber?: number;
  readonly severityText?: string;
  readonly body?: string;
  readonly attributes?: Record<string, string | number | boolean>;
  readonly context?: Context;
}

export function setUpTraces(
  exporters: readonly SpanExporter[],
  resource: Resource,
  env: OtelEnvironment,
  logger: Logger,
  releases: Array<() => Promise<unknown>>,
): NodeTracerProvider {
  const tracerProvider = new NodeTracerProvider({
    resource,
    sampler: createSampler(env.sampler),
    spanProcessors: exporters.map(
      (exporter) =>
        new BatchSpanProcessor(reportFailures(exporter, "spans", logger), env.spanBatches),
    ),
  });
  // Undefined registers W3C trace context and baggage, null nothing.
  tracerProvider.register({ propagator: env.hasPropagators ? undefined : null });
  releases.push(async () => {
    await tracerProvider.shutdown();
    trace.disable();
    context.disable();
    propagation.disable();
  });
  return tracerProvider;
}

export function createReader(
  exporter: PushMetricExporter,
  env: OtelEnvironment,
  logger: Logger,
): IMetricReader {
  const { metricIntervalMillis: exportIntervalMillis, metricTimeoutMillis } = env;
  return new PeriodicExportingMetricReader({
    exporter: reportFailures(exporter, "metrics", logger),
    exportIntervalMillis,
    exportTimeoutMillis: Math.min(metricTimeoutMillis, exportIntervalMillis),
  });
}

export function setUpMetrics(
  readers: IMetricReader[],
  resource: Resource,
  releases: Array<() => Promise<unknown>>,
): MeterProvider {
  const meterProvider = new MeterProvider({ resource, readers });
  metrics.setGlobalMeterProvider(meterProvider);
  releases.push(async () => {
    await meterProvider.shutdown();
    metrics.disable();
  });
  return meterProvider;
}

export async function setUpLogs(
  exporters: readonly LogRecordExporter[],
  resource: Resource,
  env: OtelEnvironment,
  logger: Logger,
  releases: Array<() => Promise<unknown>>,
): Promise<LogProvider> {
  const { LoggerProvider, BatchLogRecordProcessor } = await loadLogsSdk();
  const { logs } = await loadLogsApi();
  const loggerProvider = new LoggerProvider({
    resource,
    processors: exporters.map(
      (exporter) =>
        new BatchLogRecordProcessor({
          ...env.logBatches,
          exporter: reportFailures(exporter, "log records", logger),
        }),
    ),
  });
  logs.setGlobalLoggerProvider(loggerProvider);
  releases.push(async () => {
    await loggerProvider.shutdown();
    logs.disable();
  });
  return loggerProvider as LogProvider;
}
