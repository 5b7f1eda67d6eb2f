import type { ServerHttp2Session, ServerHttp2Stream } from "node:http2";
import type { ResolvedFloodLimits } from "../connection-options.ts";

/**
 * Counts what is cheap to send and dear to answer: streams that are opened and reset, PING, SETTINGS.
 * `onFlood` hears once, with the name of the limit. Floods of CONTINUATION, of empty DATA and of bytes
 * that are no frames are ended by Node itself.
 */
export function guardAgainstFloods(
  session: ServerHttp2Session,
  limits: ResolvedFloodLimits,
  onFlood: (limit: keyof ResolvedFloodLimits) => void,
): void {
  let isFlooded = false;
  const counter = (limit: keyof ResolvedFloodLimits) => {
    const isOver = rateCounter(limits[limit]);
    return () => {
      if (isFlooded || !isOver()) return;
      isFlooded = true;
      onFlood(limit);
    };
  };
  session.on("ping", counter("pingsPerSecond"));
  session.on("remoteSettings", counter("settingsPerSecond"));
  const countReset = counter("resetsPerSecond");
  // One function for all streams of the session: a closure per call would be felt. A reset may carry
  // the code of no error; then the stream is aborted all the same.
  function onClose(this: ServerHttp2Stream): void {
    if (this.rstCode !== 0 || this.aborted) countReset();
  }
  session.on("stream", (stream: ServerHttp2Stream) => void stream.on("close", onClose));
}

/** A function that counts itself and tells whether it was called more than `limit` times in a second. */
function rateCounter(limit: number): () => boolean {
  let second = 0;
  let count = 0;
  return () => {
    const now = Math.floor(performance.now() / 1_000);
    if (now !== second) {
      second = now;
      count = 0;
    }
    count++;
    return count > limit;
  };
}
