import type { Message } from "@bufbuild/protobuf";
import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import { checkEnum, checkInteger, checkKeys, checkMs, checkNumber } from "../../core/internal.ts";

export interface FaultOptions {
  /** Waits before the call goes on, in milliseconds. Default 0. */
  readonly delayMs?: number;
  /** Fails the call with this code, after the delay. Default none. */
  readonly errorCode?: Code;
  /** Ends a response stream with `unavailable` after this many messages. Default never. */
  readonly dropAfterMessages?: number;
  /** Share of the calls that meet the fault, 0 to 1. Default 1. */
  readonly probability?: number;
  /** Calls that meet the fault are the same for the same seed, 0 to 2 ** 32 - 1. Default 1. */
  readonly seed?: number;
}

const known = ["delayMs", "errorCode", "dropAfterMessages", "probability", "seed"];

/** Makes calls slow or fail, on a server or a client. Throws `INVALID_OPTION` for a bad option. */
export function createFaultInterceptor(options: FaultOptions): Interceptor {
  checkKeys("createFaultInterceptor", options, known);
  const { delayMs = 0, errorCode, dropAfterMessages, probability = 1, seed = 1 } = options;
  checkMs("delayMs", delayMs);
  if (errorCode !== undefined) checkEnum("errorCode", errorCode, "Code", Code);
  if (dropAfterMessages !== undefined) {
    checkInteger("dropAfterMessages", dropAfterMessages, 0, Number.MAX_SAFE_INTEGER);
  }
  checkNumber("probability", probability, 0, 1);
  checkInteger("seed", seed, 0, 2 ** 32 - 1);
  const random = createRandom(seed);
  return (next) => async (request) => {
    if (random() >= probability) return next(request);
    if (delayMs > 0) await delay(delayMs, request.signal);
    if (errorCode !== undefined) throw new ConnectError("injected fault", errorCode);
    const response = await next(request);
    if (dropAfterMessages === undefined || !response.stream) return response;
    return { ...response, message: cutAfter(response.message, dropAfterMessages) };
  };
}

async function* cutAfter<T extends Message>(messages: AsyncIterable<T>, limit: number) {
  let sent = 0;
  if (limit === 0) throw dropped(0);
  for await (const message of messages) {
    yield message;
    if (++sent === limit) throw dropped(limit);
  }
}

function dropped(limit: number): ConnectError {
  return new ConnectError(`injected fault after ${limit} messages`, Code.Unavailable);
}

/** Rejects with the reason of the signal when the caller gives up first. */
function delay(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", abort);
      resolve();
    }, ms);
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort, { once: true });
  });
}

/** Numbers of 0 to 1, the same for the same seed: mulberry32. */
function createRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
