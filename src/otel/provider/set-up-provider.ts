import { defaultResource, type Resource, resourceFromAttributes } from "@opentelemetry/resources";
import type { MeterProvider } from "@opentelemetry/sdk-metrics";
import type { NodeTracerProvider } from "@opentelemetry/sdk-trace-node";
import type { Logger, ProtocolRegistration } from "../../core/index.ts";
import { silentLogger } from "../../core/internal.ts";
import { loadLogExporter, loadMetricExporter, loadSpanExporter } from "./exporters.ts";
import { type OtelEnvironment, readOtelEnvironment } from "./otel-environment.ts";
import { checkProviderOptions, type ProviderOptions } from "./provider-options.ts";
import { createReader, type LogProvider, setUpLogs, setUpMetrics, setUpTraces } from "./signals.ts";
import { openPrometheus, wantedExporters } from "./wanted-exporters.ts";

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

export interface SetUp {
  readonly provider: OtelProvider;
  readonly release: () => Promise<void>;
}

/** Everything the options and the environment ask for, registered globally. */
export async function setUpProvider(options: ProviderOptions): Promise<SetUp> {
  checkProviderOptions(options);
  const { logger = silentLogger } = options;
  const env = readOtelEnvironment();
  if (env.isDisabled) {
    logger.info({}, "OpenTelemetry is off: OTEL_SDK_DISABLED is set");
    return nothing();
  }
  const spans = await wantedExporters("traces", options, env, loadSpanExporter);
  const measurements = await wantedExporters("metrics", options, env, loadMetricExporter);
  const records = await wantedExporters("logs", options, env, loadLogExporter);
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

function nothing(): SetUp {
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
