import { type Context, context, metrics, propagation, trace } from "@opentelemetry/api";
import { defaultResource, type Resource, resourceFromAttributes } from "@opentelemetry/resources";
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
import { ConnectumError, type Logger, type ProtocolRegistration } from "../../core/index.ts";
import { checkKeys, show, silentLogger } from "../../core/internal.ts";
import {
  loadLogExporter,
  loadLogsApi,
  loadLogsSdk,
  loadMetricExporter,
  loadSpanExporter,
} from "./exporters.ts";
import {
  type ExporterName,
  type OtelEnvironment,
  readOtelEnvironment,
  type Signal,
} from "./otel-environment.ts";
import { createPrometheus, type Prometheus, type PrometheusOptions } from "./prometheus.ts";
import { reportFailures } from "./report-failures.ts";
import { createSampler } from "./sampler.ts";

export interface ProviderOptions {
  /** Wins over `OTEL_SERVICE_NAME`. */
  readonly serviceName?: string;
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

/** What `initProvider` has set up. */
export interface OtelProvider {
  readonly tracerProvider: NodeTracerProvider | undefined;
  readonly meterProvider: MeterProvider | undefined;
  readonly loggerProvider: LogProvider | undefined;
  /** For `protocols` of a server; undefined unless metrics are for Prometheus on the server's port. */
  readonly prometheus: ProtocolRegistration | undefined;
  /** Where Prometheus finds metrics on a port of their own. */
  readonly prometheusPort: number | undefined;
  /** Sends what is waiting. */
  forceFlush(): Promise<void>;
}

interface State {
  readonly provider: OtelProvider;
  readonly release: () => Promise<void>;
}

let current: State | undefined;
let isStarting = false;
let stopping: Promise<void> | undefined;

/**
 * Reads the standard `OTEL_*` variables, sets up the SDK and registers it globally. Once per process,
 * until {@link shutdownProvider}. Without a word about exporters nothing is exported or registered.
 * Rejects INVALID_OPTION for a variable or option that cannot work, MISSING_PACKAGE for an exporter
 * that is not installed, INVALID_STATE the second time.
 */
export async function initProvider(options: ProviderOptions = {}): Promise<OtelProvider> {
  if (current || isStarting) {
    throw new ConnectumError(
      "INVALID_STATE",
      "initProvider() has run already; await shutdownProvider() before it runs again",
    );
  }
  isStarting = true;
  try {
    await stopping;
    current = await setUp(options);
    return current.provider;
  } finally {
    isStarting = false;
  }
}

/** What `initProvider` has set up; undefined before it and after the shutdown. */
export function getProvider(): OtelProvider | undefined {
  return current?.provider;
}

/** Sends what is waiting and releases everything. Does nothing when nothing is set up. */
export function shutdownProvider(): Promise<void> {
  if (!current) return stopping ?? Promise.resolve();
  const { release } = current;
  current = undefined;
  stopping = release().finally(() => {
    stopping = undefined;
  });
  return stopping;
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

async function setUp(options: ProviderOptions): Promise<State> {
  checkKeys("initProvider()", options, optionKeys);
  const { exporters = {}, logger = silentLogger } = options;
  checkKeys("exporters", exporters, ["traces", "metrics", "logs", "prometheus"]);
  const env = readOtelEnvironment();
  if (env.isDisabled) {
    logger.info({}, "OpenTelemetry is off: OTEL_SDK_DISABLED is set");
    return nothing();
  }
  const spans = await resolve("traces", options, env, loadSpanExporter);
  const measurements = await resolve("metrics", options, env, loadMetricExporter);
  const records = await resolve("logs", options, env, loadLogExporter);
  const prometheus = await openPrometheus(options, env);
  if (!spans && !measurements && !records && !prometheus) {
    logger.info(
      {},
      "OpenTelemetry exports nothing: set OTEL_EXPORTER_OTLP_ENDPOINT or OTEL_TRACES_EXPORTER, or pass exporters",
    );
    return nothing();
  }
  const resource = createResource(options, env);
  const releases: Array<() => Promise<unknown>> = [];
  const tracerProvider = spans && setUpTraces(spans, resource, env, logger, releases);
  const readers = (measurements ?? []).map((exporter) => createReader(exporter, env, logger));
  if (prometheus) readers.push(prometheus.reader);
  const meterProvider =
    measurements || prometheus ? setUpMetrics(readers, resource, releases) : undefined;
  if (prometheus) releases.push(prometheus.close);
  const loggerProvider = records && (await setUpLogs(records, resource, env, logger, releases));
  const provider: OtelProvider = {
    tracerProvider,
    meterProvider,
    loggerProvider,
    prometheus: prometheus?.port === undefined ? prometheus?.protocol : undefined,
    prometheusPort: prometheus?.port,
    async forceFlush() {
      await Promise.all([
        tracerProvider?.forceFlush(),
        meterProvider?.forceFlush(),
        loggerProvider?.forceFlush(),
      ]);
    },
  };
  return { provider, release: () => releaseAll(releases, logger) };
}

function nothing(): State {
  const provider: OtelProvider = {
    tracerProvider: undefined,
    meterProvider: undefined,
    loggerProvider: undefined,
    prometheus: undefined,
    prometheusPort: undefined,
    forceFlush: async () => {},
  };
  return { provider, release: async () => {} };
}

/** The exporters of a signal; undefined for a signal that is off, empty for one without exporters. */
async function resolve<E extends object>(
  signal: Signal,
  options: ProviderOptions,
  env: OtelEnvironment,
  load: (name: ExporterName) => Promise<E | undefined>,
): Promise<E[] | undefined> {
  const isWanted = options[signal];
  if (isWanted === false) return undefined;
  const given = options.exporters?.[signal];
  if (typeof given === "object" && given !== null) return [given as unknown as E];
  if (given !== undefined) checkName(signal, given);
  const names = given === undefined ? (env.exporters[signal] ?? []) : [given];
  const exporters: E[] = [];
  for (const name of names) {
    const exporter = await load(name);
    if (exporter) exporters.push(exporter);
  }
  return exporters.length > 0 || isWanted === true ? exporters : undefined;
}

function checkName(signal: Signal, name: unknown): asserts name is ExporterName {
  const names: unknown[] = ["otlp/http", "otlp/json", "otlp/grpc", "console", "none"];
  if (names.includes(name)) return;
  throw new ConnectumError(
    "INVALID_OPTION",
    `exporters.${signal} must be an exporter or one of ${names.join(", ")}, got ${show(name)}`,
  );
}

async function openPrometheus(
  { metrics: isWanted, exporters = {} }: ProviderOptions,
  env: OtelEnvironment,
): Promise<Prometheus | undefined> {
  if (isWanted === false) return undefined;
  const { prometheus } = exporters;
  if (prometheus === undefined && env.exporters.metrics?.includes("prometheus")) {
    // By the environment alone nobody mounts a protocol, so it is a port, as OpenTelemetry has it.
    return createPrometheus({ host: env.prometheusHost, port: env.prometheusPort ?? 9_464 });
  }
  if (!prometheus) return undefined;
  return createPrometheus(prometheus === true ? {} : prometheus);
}

function createResource(options: ProviderOptions, env: OtelEnvironment): Resource {
  const { serviceVersion, resourceAttributes } = options;
  const attributes: Record<string, string | number | boolean> = {
    ...env.resourceAttributes,
    ...resourceAttributes,
  };
  const serviceName = options.serviceName ?? env.serviceName;
  if (serviceName !== undefined) attributes["service.name"] = serviceName;
  if (serviceVersion !== undefined) attributes["service.version"] = serviceVersion;
  return defaultResource().merge(resourceFromAttributes(attributes));
}

function setUpTraces(
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

function createReader(
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

function setUpMetrics(
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

async function setUpLogs(
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

/** A collector that is away must not keep a service from stopping. */
async function releaseAll(
  releases: ReadonlyArray<() => Promise<unknown>>,
  logger: Logger,
): Promise<void> {
  const results = await Promise.allSettled(releases.map((release) => release()));
  for (const result of results) {
    if (result.status === "rejected") {
      logger.warn({ err: result.reason }, "telemetry was lost at the shutdown");
    }
  }
}
