import { setTimeout as sleep } from "node:timers/promises";
import { type Code, ConnectError } from "@connectrpc/connect";

export interface Ended {
  /** Since the load began. */
  readonly startedMs: number;
  readonly latencyMs: number;
  /** Undefined for a call that succeeded. */
  readonly code: Code | undefined;
}

const TICK_MS = 5;

/** Starts calls at a rate, however long they take, and waits for all of them to end. */
export async function openLoad(
  call: () => Promise<unknown>,
  perSecond: number,
  seconds: number,
): Promise<Ended[]> {
  const calls: Array<Promise<Ended>> = [];
  const begin = performance.now();
  for (let elapsed = 0; elapsed < seconds * 1000; elapsed = performance.now() - begin) {
    const due = Math.floor((elapsed / 1000) * perSecond) + 1;
    while (calls.length < due) calls.push(timed(call, performance.now() - begin));
    await sleep(TICK_MS);
  }
  return Promise.all(calls);
}

async function timed(call: () => Promise<unknown>, startedMs: number): Promise<Ended> {
  const start = performance.now();
  let code: Code | undefined;
  try {
    await call();
  } catch (error) {
    code = ConnectError.from(error).code;
  }
  return { startedMs, latencyMs: performance.now() - start, code };
}

/** The value that a share of all is below. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}
