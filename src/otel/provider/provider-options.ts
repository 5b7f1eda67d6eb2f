import type { PushMetricExporter } from "@opentelemetry/sdk-metrics";
import type { SpanExporter } from "@opentelemetry/sdk-trace-node";
import type { Logger } from "../../core/index.ts";
import {
  checkBoolean,
  checkKeys,
  checkLogger,
  checkMethods,
  checkObject,
  checkText,
} from "../../core/internal.ts";
import type { ExporterName } from "./otel-environment.ts";
import type { PrometheusOptions } from "./prometheus.ts";

export interface ProviderOptions {
  /** Wins over `OTEL_SERVICE_NAME`. */
  readonly serviceName?: string;
  /** `service.version` of everything that is sent. Default: none but that of the resource attributes. */
  readonly serviceVersion?: string;
  /** Added to, and winning over, `OTEL_RESOURCE_ATTRIBUTES`. */
  readonly resourceAttributes?: Readonly<Record<string, string | number | boolean>>;
  /**
   * False switches the signal off. True registers a provider even where no exporter is configured, so
   * that trace ids reach logs and other services. Default: as the exporters say.
   */
  readonly traces?: boolean;
  readonly metrics?: boolean;
  readonly logs?: boolean;
  /** Wins over `OTEL_TRACES_EXPORTER` and its like. */
  readonly exporters?: {
    readonly traces?: ExporterName | SpanExporter;
    readonly metrics?: ExporterName | PushMetricExporter;
    readonly logs?: ExporterName | LogExporter;
    /** Beside any other exporter of metrics. */
    readonly prometheus?: boolean | PrometheusOptions;
  };
  /** Hears when nothing is exported, when exporting begins to fail and when it works again. */
  readonly logger?: Logger;
}

/** A `LogRecordExporter` of `@opentelemetry/sdk-logs`, which need not be installed. */
export interface LogExporter {
  export(records: never, callback: never): void;
  shutdown(): Promise<void>;
}

const optionKeys = [
  "serviceName",
  "serviceVersion",
  "resourceAttributes",
  "traces",
  "metrics",
  "logs",
  "exporters",
  "logger",
];

/** Throws INVALID_OPTION naming what is wrong; names of exporters are checked where they are loaded. */
export function checkProviderOptions(options: ProviderOptions): void {
  checkKeys("initProvider()", options, optionKeys);
  const { serviceName, serviceVersion, resourceAttributes, exporters = {}, logger } = options;
  if (serviceName !== undefined) checkText("serviceName", serviceName);
  if (serviceVersion !== undefined) checkText("serviceVersion", serviceVersion);
  if (resourceAttributes !== undefined) checkObject("resourceAttributes", resourceAttributes);
  checkKeys("exporters", exporters, ["traces", "metrics", "logs", "prometheus"]);
  for (const signal of ["traces", "metrics", "logs"] as const) {
    const isWanted = options[signal];
    const exporter = exporters[signal];
    if (isWanted !== undefined) checkBoolean(signal, isWanted);
    if (typeof exporter !== "object") continue;
    checkMethods(`exporters.${signal}`, exporter, "an exporter", ["export", "shutdown"]);
  }
  const { prometheus } = exporters;
  if (typeof prometheus !== "object" && prometheus !== undefined) {
    checkBoolean("exporters.prometheus", prometheus);
  }
  if (logger !== undefined) checkLogger("logger", logger);
}
