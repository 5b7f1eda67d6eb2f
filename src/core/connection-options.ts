import { checkInteger, checkKeys, checkMs } from "./check-options.ts";
import { ConnectumError } from "./errors.ts";

export interface KeepaliveOptions {
  /** How often a connection gets a PING. Default 60 000 ms. */
  readonly intervalMs?: number;
  /** A connection that neither answers it nor sends anything else for this long is closed. Default 20 000 ms. */
  readonly timeoutMs?: number;
}

/** What one HTTP/2 connection may do within a second; more is answered GOAWAY ENHANCE_YOUR_CALM. */
export interface FloodLimits {
  /** Streams the client opens and does not let finish. Default 200. */
  readonly resetsPerSecond?: number;
  /** PING frames with nothing of the server before them; those of bandwidth probes are free. Default 100. */
  readonly pingsPerSecond?: number;
  /** SETTINGS frames. Default 20. */
  readonly settingsPerSecond?: number;
}

export type ResolvedFloodLimits = Required<FloodLimits>;

interface ConnectionLifetimes {
  readonly maxConnectionAgeMs?: number;
  readonly maxConnectionAgeGraceMs?: number;
  readonly maxConnectionIdleMs?: number;
}

export function resolveKeepalive(keepalive: KeepaliveOptions | false) {
  if (keepalive === false) return undefined;
  checkKeys("keepalive", keepalive, ["intervalMs", "timeoutMs"]);
  const { intervalMs = 60_000, timeoutMs = 20_000 } = keepalive;
  checkMs("keepalive.intervalMs", intervalMs, 1);
  checkMs("keepalive.timeoutMs", timeoutMs, 1);
  return { intervalMs, timeoutMs };
}

const MAX_PER_SECOND = 1_000_000;

export function resolveFloodLimits(limits: FloodLimits): ResolvedFloodLimits {
  checkKeys("floodLimits", limits, ["resetsPerSecond", "pingsPerSecond", "settingsPerSecond"]);
  const { resetsPerSecond = 200, pingsPerSecond = 100, settingsPerSecond = 20 } = limits;
  const resolved = { resetsPerSecond, pingsPerSecond, settingsPerSecond };
  for (const [name, value] of Object.entries(resolved)) {
    checkInteger(`floodLimits.${name}`, value, 1, MAX_PER_SECOND);
  }
  return resolved;
}

export function checkLifetimes(lifetimes: ConnectionLifetimes): void {
  const { maxConnectionAgeMs, maxConnectionAgeGraceMs } = lifetimes;
  for (const [name, value] of Object.entries(lifetimes)) {
    if (value !== undefined) checkMs(name, value, 1);
  }
  if (maxConnectionAgeGraceMs !== undefined && maxConnectionAgeMs === undefined) {
    throw new ConnectumError(
      "INVALID_OPTION",
      "maxConnectionAgeGraceMs does nothing without maxConnectionAgeMs; set both or neither",
    );
  }
}
