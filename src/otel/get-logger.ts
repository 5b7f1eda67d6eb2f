import { context } from "@opentelemetry/api";
import type { Logger } from "../core/index.ts";
import { checkKeys, checkObject, checkText } from "../core/internal.ts";
import { instrumentationScope } from "./instrumentation-scope.ts";
import { getProvider } from "./provider/init-provider.ts";

export interface LoggerOptions {
  /** On every record of this logger; what a line brings itself wins. */
  readonly defaultAttributes?: Readonly<Record<string, unknown>>;
}

/** Takes lines as core does (`details, message`) and as plain text. */
export interface OtelLogger extends Logger {
  debug(details: object | string, message?: string): void;
  info(details: object | string, message?: string): void;
  warn(details: object | string, message?: string): void;
  error(details: object | string, message?: string): void;
}

export type LogLevel = "debug" | "info" | "warn" | "error";

/** Numbers of the log data model, without loading the optional package that names them. */
const severities: Readonly<Record<LogLevel, number>> = {
  debug: 5,
  info: 9,
  warn: 13,
  error: 17,
};

/**
 * A logger whose lines become OpenTelemetry log records, tied to the active span. Until `initProvider`
 * has set up logs, and where it has not, lines go nowhere.
 */
export function getLogger(
  name: string = instrumentationScope.name,
  options: LoggerOptions = {},
): OtelLogger {
  checkText("getLogger() name", name);
  checkKeys("getLogger()", options, ["defaultAttributes"]);
  const { defaultAttributes } = options;
  if (defaultAttributes !== undefined) {
    checkObject("getLogger() defaultAttributes", defaultAttributes);
  }
  const at = (level: LogLevel) => (details: object | string, message?: string) => {
    const logger = getProvider()?.loggerProvider?.getLogger(name);
    if (!logger) return;
    const isText = typeof details === "string";
    logger.emit({
      severityNumber: severities[level],
      severityText: level.toUpperCase(),
      body: isText ? details : (message ?? ""),
      attributes: toAttributes({ ...defaultAttributes, ...(isText ? undefined : details) }),
      context: context.active(),
    });
  };
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

/** Errors by the names of the conventions, everything else as OTLP can carry it. */
function toAttributes(
  details: Readonly<Record<string, unknown>>,
): Record<string, string | number | boolean> {
  const attributes: Record<string, string | number | boolean> = {};
  for (const [key, value] of Object.entries(details)) {
    if (value instanceof Error) {
      attributes["exception.type"] = value.name;
      attributes["exception.message"] = value.message;
      if (value.stack !== undefined) attributes["exception.stacktrace"] = value.stack;
    } else if (["string", "number", "boolean"].includes(typeof value)) {
      attributes[key] = value as string | number | boolean;
    } else if (value !== undefined && value !== null) {
      attributes[key] = jsonOf(value);
    }
  }
  return attributes;
}

/** What cannot be written as JSON must not break who logs it. */
export function jsonOf(value: unknown): string {
  try {
    return (
      JSON.stringify(value, (_, item) => (typeof item === "bigint" ? String(item) : item)) ??
      String(value)
    );
  } catch {
    return String(value);
  }
}
