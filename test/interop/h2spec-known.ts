export interface KnownFailure {
  readonly reason: string;
  /**
   * `node`: a bare node:http2 server fails it too, always. `race`: it fails or passes on a bare server
   * as well, by which of two frames is sent first. `ours`: a decision of this package.
   */
  readonly from: "node" | "race" | "ours";
}

const resetIgnored =
  "nghttp2 ignores frames for streams that are closed, which RFC 9113, section 5.1, allows for a while after a reset";
const answeredFirst =
  "the whole answer, END_STREAM included, is on its way before the frame that breaks the rule arrives";
const windowOverflow =
  "nghttp2 ends the connection with GOAWAY FLOW_CONTROL_ERROR or a reset; Node closes the socket before, or with another code";

/** Every case of h2spec that this server does not pass, by section and title. */
export const knownFailures: Readonly<Record<string, KnownFailure>> = {
  "http2/3.5: Sends invalid connection preface": {
    reason:
      "on the plaintext port that serves HTTP/1.1 too, bytes that are no preface are HTTP/1.1: answered 400 and closed",
    from: "ours",
  },
  "http2/5.1: half closed (remote): Sends a DATA frame": { reason: answeredFirst, from: "race" },
  "http2/5.1: half closed (remote): Sends a HEADERS frame": { reason: answeredFirst, from: "race" },
  "http2/5.1: closed: Sends a DATA frame after sending RST_STREAM frame": {
    reason: resetIgnored,
    from: "node",
  },
  "http2/5.1: closed: Sends a HEADERS frame after sending RST_STREAM frame": {
    reason: resetIgnored,
    from: "node",
  },
  "http2/5.1: closed: Sends a DATA frame": { reason: resetIgnored, from: "node" },
  "http2/5.1: closed: Sends a HEADERS frame": { reason: resetIgnored, from: "node" },
  "http2/5.1.1: Sends stream identifier that is numerically smaller than previous": {
    reason: "nghttp2 takes the lower identifier for a closed stream and ignores the frame",
    from: "node",
  },
  "http2/5.1.2: Sends HEADERS frames that causes their advertised concurrent stream limit to be exceeded":
    {
      reason: "calls are answered faster than h2spec opens them, so the limit is not reached",
      from: "race",
    },
  'http2/6.1: Sends a DATA frame on the stream that is not in "open" or "half-closed (local)" state':
    { reason: answeredFirst, from: "race" },
  "http2/6.1: Sends a DATA frame with invalid pad length": { reason: answeredFirst, from: "race" },
  "http2/6.7: Sends a PING frame with ACK": {
    reason: "Node takes an acknowledgement nobody asked for as a broken peer and closes",
    from: "node",
  },
  "http2/6.9.1: Sends multiple WINDOW_UPDATE frames increasing the flow control window to above 2^31-1":
    { reason: windowOverflow, from: "node" },
  "http2/6.9.1: Sends multiple WINDOW_UPDATE frames increasing the flow control window to above 2^31-1 on a stream":
    { reason: answeredFirst, from: "race" },
  "http2/8.1: Sends a second HEADERS frame without the END_STREAM flag": {
    reason: answeredFirst,
    from: "race",
  },
  "http2/8.1.2.1: Sends a HEADERS frame that contains a pseudo-header field as trailers": {
    reason: answeredFirst,
    from: "race",
  },
};
