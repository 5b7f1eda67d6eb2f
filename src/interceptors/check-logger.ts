import { ConnectumError, type Logger } from "../core/index.ts";
import { show } from "../core/internal.ts";

/** Throws unless `value` has what core's `Logger` has. */
export function checkLogger(name: string, value: Logger): void {
  const methods = ["debug", "info", "warn", "error"] as const;
  const missing = methods.find((method) => typeof value?.[method] !== "function");
  if (missing === undefined) return;
  throw new ConnectumError(
    "INVALID_OPTION",
    `${name} must have debug(), info(), warn() and error(), got ${show(value)}`,
  );
}
