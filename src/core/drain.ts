import type { ConnectError } from "@connectrpc/connect";
import type { Listener } from "./listener.ts";
import type { LocalDoor } from "./local/local-door.ts";
import type { CallRegistry } from "./rpc/call-registry.ts";
import type { ResolvedShutdown } from "./shutdown-options.ts";

/**
 * How long before the port closes HTTP/1.1 connections stay open again. A client that opens one for each
 * call would meet the closing: what the system has accepted by then, and we have not, is reset.
 */
const SETTLE_MS = 1_000;

/** What a drain works on. */
export interface Drainable {
  readonly listener: Listener;
  readonly localDoor: LocalDoor;
  readonly calls: CallRegistry;
  /** Why calls end that are still there late in the drain. */
  readonly reason: ConnectError;
}

export interface Drain {
  /** Resolves when nothing runs any more, on the network or in process. */
  readonly done: Promise<void>;
  /** Ends the drain at once: calls are aborted, sockets destroyed. */
  force(): void;
}

/**
 * Lets calls end, in this order: everything is served for `drainDelayMs`; then the port closes, `onClose`
 * is called and peers are asked to leave; `abortGraceMs` before `timeout` what still runs is aborted; at
 * `timeout` it is cut, if `forceCloseOnTimeout`.
 */
export function startDrain(
  { listener, localDoor, calls, reason }: Drainable,
  { timeout, drainDelayMs, abortGraceMs, forceCloseOnTimeout }: ResolvedShutdown,
  onClose: () => void,
): Drain {
  let skipDelay = () => {};
  const delayed = new Promise<void>((resolve) => {
    skipDelay = resolve;
  });
  const force = () => {
    skipDelay();
    calls.abortAll(reason);
    listener.destroy();
    localDoor.destroy(reason);
  };
  const timers = [setTimeout(() => calls.abortAll(reason), timeout - abortGraceMs)];
  if (forceCloseOnTimeout) timers.push(setTimeout(force, timeout));
  if (drainDelayMs > 0) {
    listener.announceClose(true);
    const settleMs = Math.min(SETTLE_MS, drainDelayMs / 2);
    timers.push(setTimeout(() => listener.announceClose(false), drainDelayMs - settleMs));
    timers.push(setTimeout(skipDelay, drainDelayMs));
  } else skipDelay();

  const run = async () => {
    await delayed;
    onClose();
    await listener.drain();
    await localDoor.drain();
    for (const timer of timers) clearTimeout(timer);
  };
  return { done: run(), force };
}
