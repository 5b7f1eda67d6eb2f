import { type AnyFn, type AnyRequest, type AnyResponse, callOfRequest } from "../core/internal.ts";
import { watchFirst } from "./watch-first.ts";

/** Answers in the place of an error, or not. */
export type Answer = (error: unknown, request: AnyRequest) => Promise<AnyResponse | undefined>;

/** Where a chain keeps who answers, and with what. One per call. */
interface Handoff {
  fallbackOwner: object | undefined;
  fallback: unknown;
}

/**
 * Timeout, breaker and retry must see an error before a fallback hides it. So the fallback never
 * answers itself: it leaves its answer here, and the outermost of them gives it once all have failed.
 */
export function claimFallback(request: AnyRequest, claimant: object): boolean {
  const handoff = handoffOf(request);
  handoff.fallbackOwner ??= claimant;
  return handoff.fallbackOwner === claimant;
}

export function leaveFallback(request: AnyRequest, answer: Answer): void {
  handoffOf(request).fallback = answer;
}

/**
 * Wraps what an interceptor does with a call: if it is the outermost that could answer for a fallback
 * further in, it does so when `run` has failed.
 */
export function withFallback(inner: AnyFn, run: AnyFn): AnyFn {
  const claimant = {};
  const linked = answerOf(inner);
  const answer: Answer = async (error, request) => {
    const given = (handoffOf(request).fallback as Answer | undefined) ?? linked;
    return given?.(error, request);
  };
  const fn: AnyFn = (request) =>
    claimFallback(request, claimant) ? answered(run, request, answer) : run(request);
  return linkFallback(fn, inner);
}

/** Gives `request` to `run`, and its failure to `answer`: an error before the first message, that is. */
export async function answered(
  run: AnyFn,
  request: AnyRequest,
  answer: Answer,
): Promise<AnyResponse> {
  try {
    const response = await run(request);
    if (!response.stream || request.method.methodKind !== "server_streaming") return response;
    return watchFirst(response, async (thrown) => {
      const other = await answer(thrown, request);
      if (!other?.stream) throw thrown;
      return other;
    });
  } catch (thrown) {
    const response = await answer(thrown, request);
    if (!response) throw thrown;
    return response;
  }
}

const answerKey = Symbol("connectum fallback");

/** The fallback that is mounted right inside `fn`, for calls that never get that far. */
function answerOf(fn: AnyFn): Answer | undefined {
  return (fn as { [answerKey]?: Answer })[answerKey];
}

/** Lets `fn` tell of the fallback inside `inner`. */
export function linkFallback(fn: AnyFn, inner: AnyFn): AnyFn {
  const answer = answerOf(inner);
  return answer ? markFallback(fn, answer) : fn;
}

export function markFallback(fn: AnyFn, answer: Answer): AnyFn {
  return Object.assign(fn, { [answerKey]: answer });
}

/** Calls of other servers and of clients; their interceptors share the header object of the request. */
const handoffs = new WeakMap<object, Handoff>();

function handoffOf(request: AnyRequest): Handoff {
  const call = callOfRequest(request);
  if (call) return call;
  let handoff = handoffs.get(request.header);
  if (!handoff) {
    handoff = { fallbackOwner: undefined, fallback: undefined };
    handoffs.set(request.header, handoff);
  }
  return handoff;
}
