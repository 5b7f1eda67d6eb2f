import type { LogRecordExporter } from "@opentelemetry/sdk-logs";
import { ConsoleMetricExporter, type PushMetricExporter } from "@opentelemetry/sdk-metrics";
import { ConsoleSpanExporter, type SpanExporter } from "@opentelemetry/sdk-trace-node";
import { loadPackage } from "./load-package.ts";
import type { ExporterName } from "./otel-environment.ts";

/** Loads the exporter of a name; undefined for one that does not push. */
export async function loadSpanExporter(name: ExporterName): Promise<SpanExporter | undefined> {
  const reason = `traces to ${name}`;
  switch (name) {
    case "console":
      return new ConsoleSpanExporter();
    case "otlp/http": {
      const { OTLPTraceExporter } = await loadPackage(
        "@opentelemetry/exporter-trace-otlp-proto",
        reason,
        () => import("@opentelemetry/exporter-trace-otlp-proto"),
      );
      return new OTLPTraceExporter();
    }
    case "otlp/json": {
      const { OTLPTraceExporter } = await loadPackage(
        "@opentelemetry/exporter-trace-otlp-http",
        reason,
        () => import("@opentelemetry/exporter-trace-otlp-http"),
      );
      return new OTLPTraceExporter();
    }
    case "otlp/grpc": {
      const { OTLPTraceExporter } = await loadPackage(
        "@opentelemetry/exporter-trace-otlp-grpc",
        reason,
        () => import("@opentelemetry/exporter-trace-otlp-grpc"),
      );
      return new OTLPTraceExporter();
    }
    default:
      return undefined;
  }
}

export async function loadMetricExporter(
  name: ExporterName,
): Promise<PushMetricExporter | undefined> {
  const reason = `metrics to ${name}`;
  switch (name) {
    case "console":
      return new ConsoleMetricExporter();
    case "otlp/http": {
      const { OTLPMetricExporter } = await loadPackage(
        "@opentelemetry/exporter-metrics-otlp-proto",
        reason,
        () => import("@opentelemetry/exporter-metrics-otlp-proto"),
      );
      return new OTLPMetricExporter();
    }
    case "otlp/json": {
      const { OTLPMetricExporter } = await loadPackage(
        "@opentelemetry/exporter-metrics-otlp-http",
        reason,
        () => import("@opentelemetry/exporter-metrics-otlp-http"),
      );
      return new OTLPMetricExporter();
    }
    case "otlp/grpc": {
      const { OTLPMetricExporter } = await loadPackage(
        "@opentelemetry/exporter-metrics-otlp-grpc",
        reason,
        () => import("@opentelemetry/exporter-metrics-otlp-grpc"),
      );
      return new OTLPMetricExporter();
    }
    default:
      return undefined;
  }
}

export async function loadLogExporter(name: ExporterName): Promise<LogRecordExporter | undefined> {
  const reason = `logs to ${name}`;
  switch (name) {
    case "console": {
      const { ConsoleLogRecordExporter } = await loadLogsSdk();
      return new ConsoleLogRecordExporter();
    }
    case "otlp/http": {
      const { OTLPLogExporter } = await loadPackage(
        "@opentelemetry/exporter-logs-otlp-proto",
        reason,
        () => import("@opentelemetry/exporter-logs-otlp-proto"),
      );
      return new OTLPLogExporter();
    }
    case "otlp/json": {
      const { OTLPLogExporter } = await loadPackage(
        "@opentelemetry/exporter-logs-otlp-http",
        reason,
        () => import("@opentelemetry/exporter-logs-otlp-http"),
      );
      return new OTLPLogExporter();
    }
    case "otlp/grpc": {
      const { OTLPLogExporter } = await loadPackage(
        "@opentelemetry/exporter-logs-otlp-grpc",
        reason,
        () => import("@opentelemetry/exporter-logs-otlp-grpc"),
      );
      return new OTLPLogExporter();
    }
    default:
      return undefined;
  }
}

export function loadLogsSdk() {
  return loadPackage(
    "@opentelemetry/sdk-logs",
    "exporting logs",
    () => import("@opentelemetry/sdk-logs"),
  );
}

export function loadLogsApi() {
  return loadPackage(
    "@opentelemetry/api-logs",
    "exporting logs",
    () => import("@opentelemetry/api-logs"),
  );
}
