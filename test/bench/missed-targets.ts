/** Why a target is missed, for the README: a sentence or two under "P8 what is compared". */
export const missedTargets: Readonly<Record<string, string>> = {
  "P1 connectum / grpc-js":
    "a bare handler on node:http2 is itself 1.3 to 1.5 times as fast as this grpc-js, so little is left above it.",
  "P2 connectum / fastify":
    "messages go through protobuf's JSON mapping, which checks every field; the bare handler that does the same is no faster than Fastify, which hands on what JSON.parse gives.",
  "P3 HS256, verified each time / raw":
    "about a sixth of the time is the verification itself (jsonwebtoken and HMAC); the rest as below.",
  "P3 RS256, cached / raw":
    "about a quarter of the time is the identity (async context, a context object, rules), a sixth telemetry, an eighth the default chain; the bare call they stand beside takes 27 µs.",
  "P4 connectum / raw":
    "a third of the time is `toBinary()` in both; the rest of the distance is the handler's own async generator, three turns of promises for each message, which the bare handler's loop does not have.",
  "P4 connectum / grpc-js": "as above: the bare handler is about 2.5 times as fast as grpc-js.",
  "P5 connectum / grpc-js":
    "not profiled yet; messages pass two async iterators here, where grpc-js calls listeners.",
  "P7 connectum: time of a call, floor = 1":
    "about 80 ns more for each message, for a handler that runs one message ahead and a reader that deadline and cancellation can wake.",
  "P8 connectum / grpc-js, p99 latency":
    "the medians are equal; the tail varies a lot from run to run, and its cause is not found yet.",
  "P9 connectum / raw, RSS of an idle connection":
    "2 KB of heap for limits, keepalive and the drain of a connection; what is more on Node 24 is outside the heap, and not found yet.",
  "P9 heap slope over calls, noise = 1":
    "a short run still sees the compiler at work; `npm run soak:heap` follows a million calls, and ends where it began.",
  "P10 connectum / raw":
    "V8 collects: a process with more code loaded has a larger young generation, and then marks the whole heap six times as often for the same buffers. The bare handler drops to about the same figure when it does nothing but import connectum/core.",
  "P12 connectum / connect-node, bytes at start":
    "protobuf and connect-es are the same 145 KB in both; what is ours (TLS reload, drain, limits, in-process calls, routing) is 90 KB, where the adapter has 8.",
  "AUTH HS256, verified each time / raw":
    "verification is about a sixth of the time; what is remembered (`cache`) does without it.",
};
