/** Why a target is missed, for the README: a sentence or two under "P8 what is compared". */
export const missedTargets: Readonly<Record<string, string>> = {
  "P1 connectum / raw":
    "the rounds of one run go from 0.83 to 1.16 on this machine; a median below the target on one Node is within that.",
  "P1 connectum / grpc-js":
    "a bare handler on node:http2 is itself 1.3 to 1.5 times as fast as this grpc-js, so little is left above it.",
  "P2 connectum / fastify":
    "messages go through protobuf's JSON mapping, which checks every field; the bare handler that does the same is no faster than Fastify, which hands on what JSON.parse gives.",
  "P3 HS256, verified each time / raw":
    "about a sixth of the time is the verification itself (jsonwebtoken and HMAC, 7 µs a call); the rest as below.",
  "P3 RS256, cached / raw":
    "a quarter of the time is the identity (on Node 20 the async context alone is about 9 % of everything), a sixth telemetry (a third of that is the metrics SDK writing attributes as text, once per value), an eighth the default chain; the bare call they stand beside takes 27 µs.",
  "P3 HS256, verified each time / connect-node":
    "the rounds of one run go from 3.0 to 4.8 on this machine; the median of one Node is within that.",
  "P4 connectum / raw":
    "a third of the time is `toBinary()` in both; the rest of the distance is the handler's own async generator, three turns of promises for each message, which the bare handler's loop does not have.",
  "P4 connectum / grpc-js": "as above: the bare handler is about 2.5 times as fast as grpc-js.",
  "P4 connectum / connect-node":
    "the rounds of one run go from 3.9 to 6.7 on this machine; the median of one Node is within that.",
  "P5 connectum / grpc-js":
    "@bufbuild/protobuf takes 19 % of the time here, protobufjs 4 % there; what is connectum's own is 17 %, what is grpc-js' own 17 %. The bare handler, with the same protobuf as here, is 1.05 to 1.2 times as fast as grpc-js.",
  "P7 connectum: time of a call, floor = 1":
    "a message takes no longer (1 000 messages a call: 0.95); to open a call takes 3 to 5 µs more, for what can end it, for its metadata, and 1 µs for reading the request to its end, which the floor does not do.",
  "P8 connectum / grpc-js, p99 latency":
    "the medians are equal, and the p99 of the bare handler varies as much as ours from round to round. That stalls of the machine decide it is likely, not shown.",
  "P9 connectum / raw, RSS of an idle connection":
    "2 KB of heap for limits, keepalive and the drain of a connection. The rest is mostly V8's young generation, which more live objects make grow: held at 1 MB (`--max-semi-space-size=1`) it is 1.07 over 6 000 connections in one run; without that, 1.26 from the 2 000th to the 6 000th.",
  "P9 heap slope over calls, noise = 1":
    "a short run still sees the compiler at work; `npm run soak:heap` follows a million calls, and ends where it began.",
  "P10 connectum / raw":
    "V8 collects: a process with more code loaded has a larger young generation, and then marks the whole heap six times as often for the same buffers. The bare handler drops to about the same figure when it does nothing but import connectum/core.",
  "P12 connectum / connect-node, bytes at start":
    "what is ours (TLS reload, drain, limits, in-process calls, routing) is 93 KB, where the adapter has 8. A further 35 KB are connect-es' own handlers, which only the client that is loaded later uses: esbuild moves no file of an index to a later chunk. Without that client the ratio is 1.38.",
  "OTEL no SDK / without":
    "the rounds of one run go from 0.89 to 1.49 on this machine; the median of one Node is within that.",
  "AUTH HS256, verified each time / raw":
    "verification is about a sixth of the time; what is remembered (`cache`) does without it.",
};
