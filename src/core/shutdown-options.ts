import { checkBoolean, checkKeys, checkList, checkMs, checkText } from "./check-options.ts";
import { ConnectumError } from "./errors.ts";

/** How a server stops. All times in milliseconds. */
export interface ShutdownOptions {
  /** Stop on the signals below. Default false. */
  readonly autoShutdown?: boolean;
  /** Default `["SIGTERM", "SIGINT"]`. A second one while stopping ends the drain at once. */
  readonly signals?: readonly NodeJS.Signals[];
  /** From `stopping` to the forced close, `drainDelayMs` included. Default 30 000. */
  readonly timeout?: number;
  /**
   * How long everything is still served after readiness went off, for load balancers to notice.
   * Default 0; 5 000 is a good value on Kubernetes. Must be less than `timeout`. HTTP/1.1 answers carry
   * `Connection: close` meanwhile, except in its last second: there clients that open a connection for
   * each call would meet the closing of the port.
   */
  readonly drainDelayMs?: number;
  /**
   * How long before the end of `timeout` calls that still run get their signal aborted with
   * `unavailable`. Default min(5 000, timeout / 2).
   */
  readonly abortGraceMs?: number;
  /** Destroy what is left at `timeout`; `false` waits until the calls end. Default true. */
  readonly forceCloseOnTimeout?: boolean;
  /** Limit for event bus and shutdown hooks together, after the close. Default 10 000. */
  readonly hookTimeoutMs?: number;
}

export type ResolvedShutdown = Required<ShutdownOptions>;

const NAMES = [
  "autoShutdown",
  "signals",
  "timeout",
  "drainDelayMs",
  "abortGraceMs",
  "forceCloseOnTimeout",
  "hookTimeoutMs",
] as const satisfies ReadonlyArray<keyof ShutdownOptions>;

/** Throws INVALID_OPTION for times that cannot work together. */
export function resolveShutdown(shutdown: ShutdownOptions): ResolvedShutdown {
  checkKeys("shutdown", shutdown, NAMES);
  const {
    autoShutdown = false,
    signals = ["SIGTERM", "SIGINT"],
    timeout = 30_000,
    drainDelayMs = 0,
    abortGraceMs = Math.min(5_000, Math.floor(timeout / 2)),
    forceCloseOnTimeout = true,
    hookTimeoutMs = 10_000,
  } = shutdown;
  checkBoolean("shutdown.autoShutdown", autoShutdown);
  checkBoolean("shutdown.forceCloseOnTimeout", forceCloseOnTimeout);
  checkList("shutdown.signals", signals, checkText);
  checkMs("shutdown.timeout", timeout, 1);
  checkMs("shutdown.drainDelayMs", drainDelayMs);
  checkMs("shutdown.abortGraceMs", abortGraceMs);
  checkMs("shutdown.hookTimeoutMs", hookTimeoutMs, 1);
  if (drainDelayMs >= timeout) {
    throw new ConnectumError(
      "INVALID_OPTION",
      `shutdown.drainDelayMs must be less than shutdown.timeout (${timeout}), got ${drainDelayMs}`,
    );
  }
  if (abortGraceMs > timeout) {
    throw new ConnectumError(
      "INVALID_OPTION",
      `shutdown.abortGraceMs must be at most shutdown.timeout (${timeout}), got ${abortGraceMs}`,
    );
  }
  return {
    autoShutdown,
    signals: [...signals],
    timeout,
    drainDelayMs,
    abortGraceMs,
    forceCloseOnTimeout,
    hookTimeoutMs,
  };
}
