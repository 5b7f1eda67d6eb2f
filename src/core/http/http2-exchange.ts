import type { IncomingHttpHeaders, OutgoingHttpHeaders, ServerHttp2Stream } from "node:http2";
import { constants } from "node:http2";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Peer } from "../context-keys.ts";
import type { HeaderFields } from "../rpc/rpc-headers.ts";
import type { BodyReceiver, Exchange } from "./exchange.ts";
import { peerOf, socketOf } from "./peer.ts";

export class Http2Exchange implements Exchange {
  readonly httpVersion = 2;
  readonly transport = "http";
  readonly headers: HeaderFields;
  readonly #stream: ServerHttp2Stream;
  #isAnswered = false;
  #isRequestEnded = false;

  constructor(stream: ServerHttp2Stream, headers: IncomingHttpHeaders) {
    this.#stream = stream;
    this.headers = headers as HeaderFields;
    // A stream error without a listener would crash the process; what matters of it comes as "close".
    stream.on("error", ignore);
  }

  get requestMethod(): string {
    return this.headers[":method"] as string;
  }

  get target(): string {
    return this.headers[":path"] as string;
  }

  get url(): string {
    const { headers } = this;
    const authority = headers[":authority"] ?? headers.host ?? "";
    return `${headers[":scheme"]}://${authority}${headers[":path"]}`;
  }

  get peer(): Peer {
    return peerOf(socketOf(this.#stream.session));
  }

  get closeReason(): ConnectError | undefined {
    const stream = this.#stream;
    if (!stream.closed && !stream.destroyed) return undefined;
    return leaveReason(stream.rstCode);
  }

  onLeave(listener: (reason: ConnectError) => void): void {
    const stream = this.#stream;
    stream.once("close", () => {
      const isComplete = this.#isAnswered && stream.rstCode === constants.NGHTTP2_NO_ERROR;
      if (!isComplete) listener(leaveReason(stream.rstCode));
    });
  }

  receive(receiver: BodyReceiver): void {
    const stream = this.#stream;
    stream.on("data", (chunk: Buffer) => receiver.onData(chunk));
    stream.once("end", () => {
      // A reset ends the readable side too; only the peer's END_STREAM completes the body.
      if (stream.aborted || stream.rstCode !== constants.NGHTTP2_NO_ERROR) return;
      this.#isRequestEnded = true;
      receiver.onEnd();
    });
    stream.once("close", () => {
      if (!this.#isRequestEnded) receiver.onError(leaveReason(stream.rstCode));
    });
  }

  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }

  respond(status: number, fields: HeaderFields, body?: Uint8Array, trailers?: HeaderFields): void {
    const stream = this.#stream;
    this.#isAnswered = true;
    if (stream.destroyed || stream.closed) return;
    fields[":status"] = String(status);
    const hasBody = body !== undefined && body.byteLength > 0;
    if (!hasBody && trailers === undefined) {
      stream.respond(fields as OutgoingHttpHeaders, { endStream: true });
      this.#releaseRequest();
      return;
    }
    stream.respond(fields as OutgoingHttpHeaders, trailers ? withTrailers : undefined);
    this.#sendAtEnd(trailers);
    if (hasBody) stream.end(body);
    else stream.end();
  }

  writeHead(status: number, fields: HeaderFields, hasTrailers: boolean): void {
    const stream = this.#stream;
    if (stream.destroyed || stream.closed) return;
    fields[":status"] = String(status);
    stream.respond(fields as OutgoingHttpHeaders, hasTrailers ? withTrailers : undefined);
  }

  write(bytes: Uint8Array): boolean {
    const stream = this.#stream;
    return stream.destroyed || stream.closed || stream.write(bytes);
  }

  onceDrained(listener: () => void): void {
    this.#stream.once("drain", listener);
  }

  end(trailers?: HeaderFields): void {
    const stream = this.#stream;
    this.#isAnswered = true;
    if (stream.destroyed || stream.closed) return;
    this.#sendAtEnd(trailers);
    stream.end();
  }

  #sendAtEnd(trailers: HeaderFields | undefined): void {
    const stream = this.#stream;
    if (trailers) {
      stream.once("wantTrailers", () => {
        stream.sendTrailers(trailers as OutgoingHttpHeaders);
        this.#releaseRequest();
      });
    } else if (!this.#isRequestEnded) {
      stream.once("finish", () => this.#releaseRequest());
    }
  }

  /**
   * After an answer to a request that is still being sent: NO_ERROR asks the client to stop sending
   * (RFC 9113, section 8.1), and the stream does not stay half open.
   */
  #releaseRequest(): void {
    if (this.#isRequestEnded || this.#stream.readableEnded) return;
    setImmediate(this.#closeWhenSent);
  }

  /** nghttp2 drops what a stream has not written yet when it is reset, so END_STREAM must be out before. */
  readonly #closeWhenSent = (): void => {
    const stream = this.#stream;
    if (this.#isRequestEnded || stream.closed || stream.destroyed) return;
    if (stream.state.localClose === 1) stream.close(constants.NGHTTP2_NO_ERROR);
    else setTimeout(this.#closeWhenSent, BUSY_SOCKET_MS);
  };
}

/** How long until a socket that was busy with a write is looked at again. */
const BUSY_SOCKET_MS = 20;

const withTrailers = { waitForTrailers: true };

function ignore(): void {}

/** What a reset code says, by the table of the gRPC protocol over HTTP/2. */
function leaveReason(code: number | undefined): ConnectError {
  switch (code) {
    case constants.NGHTTP2_REFUSED_STREAM:
      return new ConnectError("the client refused the stream", Code.Unavailable);
    case constants.NGHTTP2_ENHANCE_YOUR_CALM:
      return new ConnectError("the client asked for calm", Code.ResourceExhausted);
    case constants.NGHTTP2_INADEQUATE_SECURITY:
      return new ConnectError("the connection is not secure enough", Code.PermissionDenied);
    default:
      return new ConnectError("the client left", Code.Canceled);
  }
}
