import { ConnectumError } from "../../core/index.ts";
import { show } from "../../core/internal.ts";
import type { ExporterName, OtelEnvironment, Signal } from "./otel-environment.ts";
import { createPrometheus, type Prometheus } from "./prometheus.ts";
import type { ProviderOptions } from "./provider-options.ts";

/** The exporters of a signal; undefined for a signal that is off, empty for one without exporters. */
export async function wantedExporters<E extends object>(
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

/** The reader for Prometheus; undefined where nobody asked for one. */
export async function openPrometheus(
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
