import { pino } from "pino";
import type { Logger } from "../core/index.ts";

/** Structured lines on standard output. */
export function defaultLogger(level = "info"): Logger {
  return pino({ level });
}
