import { checkMethods } from "./check-options.ts";

/**
 * What core needs of a logger. pino fits as it is, and so does any object with these four methods.
 * The error that caused a line is in `details.err`.
 */
export interface Logger {
  debug(details: object, message: string): void;
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
}

const ignore = () => {};

export const silentLogger: Logger = { debug: ignore, info: ignore, warn: ignore, error: ignore };

/** Throws INVALID_OPTION unless `value` has the methods of a {@link Logger}. */
export function checkLogger(name: string, value: Logger): void {
  checkMethods(name, value, "a Logger", ["debug", "info", "warn", "error"]);
}
