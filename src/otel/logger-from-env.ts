import { createRequire } from "node:module";
import { pino } from "pino";
import { ConnectumError, type Logger } from "../core/index.ts";
import { checkOneOf } from "../core/internal.ts";
import { getLogger, jsonOf, type LogLevel } from "./get-logger.ts";
import { getProvider } from "./provider/init-provider.ts";
import { traceLogMixin } from "./trace-log-mixin.ts";

/** What `parseEnvConfig()` of `connectum/core/config` gives, as far as it is about logs. */
export interface LogEnvConfig {
  readonly LOG_LEVEL: LogLevel;
  readonly LOG_FORMAT: "json" | "pretty";
  readonly LOG_BACKEND: "otel" | "pino" | "console";
}

const levels: readonly LogLevel[] = ["debug", "info", "warn", "error"];

/**
 * A logger for `createServer({ logger })` by LOG_LEVEL, LOG_FORMAT and LOG_BACKEND. `otel` makes log
 * records where `initProvider` has set up logs, and lines on standard output where it has not, so that
 * nothing is lost by default. Lines of all backends carry the ids of the active span.
 */
export function loggerFromEnv(config: LogEnvConfig): Logger {
  const { LOG_LEVEL: level, LOG_FORMAT: format, LOG_BACKEND: backend } = config;
  checkOneOf("LOG_LEVEL", level, levels);
  checkOneOf("LOG_FORMAT", format, ["json", "pretty"]);
  checkOneOf("LOG_BACKEND", backend, ["otel", "pino", "console"]);
  if (backend === "pino") return pinoLogger(level, format);
  const lines = lineLogger(format);
  if (backend === "console") return from(level, () => lines);
  const records = getLogger();
  return from(level, () => (getProvider()?.loggerProvider ? records : lines));
}

/** A logger that drops what is below the level. */
function from(level: LogLevel, target: () => Logger): Logger {
  const least = levels.indexOf(level);
  const at = (name: LogLevel) =>
    levels.indexOf(name) < least
      ? () => {}
      : (details: object, message: string) => target()[name](details, message);
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

function pinoLogger(level: LogLevel, format: "json" | "pretty"): Logger {
  if (format === "json") return pino({ level, mixin: traceLogMixin() });
  try {
    createRequire(import.meta.url).resolve("pino-pretty");
  } catch (error) {
    throw new ConnectumError(
      "MISSING_PACKAGE",
      "LOG_FORMAT pretty with LOG_BACKEND pino needs the package pino-pretty, which is not installed; run: npm install pino-pretty",
      { cause: error },
    );
  }
  return pino({ level, mixin: traceLogMixin(), transport: { target: "pino-pretty" } });
}

/** One line per record on standard output. */
function lineLogger(format: "json" | "pretty"): Logger {
  const mixin = traceLogMixin();
  const at = (level: LogLevel) => (details: object, message: string) => {
    const time = new Date().toISOString();
    const fields = { ...withText(details), ...mixin() };
    const line =
      format === "json"
        ? jsonOf({ level, time, ...fields, msg: message })
        : `${time} ${level.toUpperCase().padEnd(5)} ${message} ${jsonOf(fields)}`;
    process.stdout.write(`${line}\n`);
  };
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

/** JSON shows nothing of an Error by itself. */
function withText(details: object): object {
  return Object.fromEntries(
    Object.entries(details).map(([key, value]) => [
      key,
      value instanceof Error
        ? { type: value.name, message: value.message, stack: value.stack }
        : value,
    ]),
  );
}
