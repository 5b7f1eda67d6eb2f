import type {
  LoggerOptions,
  OtelCallOptions,
  OtelClientInterceptorOptions,
  OtelInterceptorOptions,
  OtelShutdownHookOptions,
  PrometheusOptions,
  ProviderOptions,
  TraceAllOptions,
  TracedOptions,
} from "connectum/otel";
import type { Proof, Proofs, Within } from "./proof.ts";

const interceptorTests = "test/otel/interceptors.test.ts";
const prometheus = "test/otel/prometheus.test.ts";
const provider = "test/otel/provider.test.ts";
const traced = "test/otel/traced.test.ts";

type Exporters = Exclude<ProviderOptions["exporters"], undefined>;

const ofBoth: Readonly<Record<keyof OtelCallOptions, Proof>> = {
  tracerProvider: [interceptorTests, "traces: false and metrics: false switch one of both off"],
  meterProvider: [interceptorTests, "traces: false and metrics: false switch one of both off"],
  propagator: [interceptorTests, "a propagator of one's own reads and writes the headers"],
  clock: [interceptorTests, "clock gives the times of spans"],
  traces: [interceptorTests, "traces: false and metrics: false switch one of both off"],
  metrics: [interceptorTests, "traces: false and metrics: false switch one of both off"],
  filter: [interceptorTests, "filter leaves methods out and is asked once per method"],
  attributeFilter: [
    interceptorTests,
    "attributeFilter drops attributes of spans, events and metrics",
  ],
  recordMessages: [interceptorTests, "recordMessages: false leaves events out, not sizes"],
  requestHeaders: [interceptorTests, "requestHeaders and responseHeaders are allow-lists"],
  responseHeaders: [interceptorTests, "requestHeaders and responseHeaders are allow-lists"],
  semconv: [interceptorTests, "semconv chooses the names of attributes"],
};

export const otelOptions: Proofs<{
  createOtelInterceptor: keyof OtelInterceptorOptions;
  createOtelClientInterceptor: keyof OtelClientInterceptorOptions;
  initProvider:
    | keyof ProviderOptions
    | Within<"exporters", Exporters>
    | Within<"exporters.prometheus", PrometheusOptions>;
  otelShutdownHook: keyof OtelShutdownHookOptions;
  getLogger: keyof LoggerOptions;
  traced: keyof TracedOptions;
  traceAll: keyof TraceAllOptions;
}> = {
  createOtelInterceptor: {
    ...ofBoth,
    trustRemote: [interceptorTests, "over HTTP a trusted caller is the parent"],
  },
  createOtelClientInterceptor: {
    ...ofBoth,
    serverAddress: [
      interceptorTests,
      "serverAddress and serverPort stand in for what the URL says",
    ],
    serverPort: [interceptorTests, "serverAddress and serverPort stand in for what the URL says"],
  },
  initProvider: {
    serviceName: [
      provider,
      "OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES describe the service, options win",
    ],
    serviceVersion: [
      provider,
      "OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES describe the service, options win",
    ],
    resourceAttributes: [
      provider,
      "OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES describe the service, options win",
    ],
    traces: [
      provider,
      "traces, metrics and logs: false keeps a signal off whatever the environment says",
    ],
    metrics: [
      provider,
      "traces, metrics and logs: false keeps a signal off whatever the environment says",
    ],
    logs: [
      provider,
      "traces, metrics and logs: false keeps a signal off whatever the environment says",
    ],
    exporters: [provider, "each signal has its own endpoint, protocol, headers and exporter"],
    "exporters.traces": [
      provider,
      "OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES describe the service, options win",
    ],
    "exporters.metrics": [
      provider,
      "each signal has its own endpoint, protocol, headers and exporter",
    ],
    "exporters.logs": [
      "test/otel/logs.test.ts",
      "makes log records with severity, attributes and the active span",
    ],
    "exporters.prometheus": [
      prometheus,
      "is answered on the server's port, over HTTP/1.1 and HTTP/2",
    ],
    "exporters.prometheus.port": [
      prometheus,
      "has a port of its own when asked, by options or OTEL_METRICS_EXPORTER",
    ],
    "exporters.prometheus.host": [prometheus, "a port in use is named"],
    "exporters.prometheus.path": [
      prometheus,
      "has a port of its own when asked, by options or OTEL_METRICS_EXPORTER",
    ],
    logger: [provider, "registers and exports nothing and says so in one line"],
  },
  otelShutdownHook: {
    after: [
      provider,
      "the shutdown hook of a server sends what is waiting, after the hooks it is told of",
    ],
  },
  getLogger: {
    defaultAttributes: [
      "test/otel/logs.test.ts",
      "makes log records with severity, attributes and the active span",
    ],
  },
  traced: {
    name: [traced, "name, kind and attributes are those of its spans"],
    kind: [traced, "name, kind and attributes are those of its spans"],
    attributes: [traced, "name, kind and attributes are those of its spans"],
    recordArgs: [traced, "arguments are recorded only when asked, through the filter"],
    argsFilter: [traced, "arguments are recorded only when asked, through the filter"],
    tracerProvider: [traced, "arguments are recorded only when asked, through the filter"],
  },
  traceAll: {
    prefix: [traced, "prefix, include and exclude choose"],
    include: [traced, "prefix, include and exclude choose"],
    exclude: [traced, "prefix, include and exclude choose"],
    kind: [traced, "kind, attributes, recordArgs and argsFilter hold for every method"],
    attributes: [traced, "kind, attributes, recordArgs and argsFilter hold for every method"],
    recordArgs: [traced, "kind, attributes, recordArgs and argsFilter hold for every method"],
    argsFilter: [traced, "kind, attributes, recordArgs and argsFilter hold for every method"],
    tracerProvider: [traced, "prefix, include and exclude choose"],
  },
};
