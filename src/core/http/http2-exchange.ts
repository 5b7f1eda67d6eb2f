import type { IncomingHttpHeaders, OutgoingHttpHeaders, ServerHttp2Stream } from "node:http2";
import { constants } from "node:http2";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Peer } from "../context-keys.ts";
import { clientLeft } from "../rpc/call-source.ts";
import type { HeaderFields } from "../rpc/rpc-headers.ts";
import { BodyFlow, PIECE_BYTES } from "./body-flow.ts";
import { addCommonFields, type BodyReceiver, type Exchange } from "./exchange.ts";
import { peerOf, socketOf } from "./peer.ts";
import type { StallClock } from "./stall-clock.ts";

/** Where a stream's listeners find its exchange: one function for all streams, no closure for each. */
const exchangeOf = Symbol("connectum exchange");

interface OwnedStream extends ServerHttp2Stream {
  [exchangeOf]: Http2Exchange;
}

export class Http2Exchange implements Exchange {
  readonly httpVersion = 2;
  readonly transport = "http";
  readonly headers: HeaderFields;
  commonFields: HeaderFields | undefined;
  readonly #stream: OwnedStream;
  readonly #flow: BodyFlow;
  #receiver: BodyReceiver | undefined;
  #trailers: HeaderFields | undefined;
  #stallReason: ConnectError | undefined;
  #isAnswered = false;
  #isRequestEnded = false;

  constructor(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, clock: StallClock) {
    this.#stream = stream as OwnedStream;
    this.#stream[exchangeOf] = this;
    this.#flow = new BodyFlow(stream, clock, this);
    this.headers = headers as HeaderFields;
    // A stream error without a listener would crash the process; what matters of it comes as "close".
    stream.on("error", ignore);
    stream.on("close", onClose);
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
    return this.#stallReason ?? leaveReason(stream.rstCode);
  }

  onLeave(listener: (reason: ConnectError) => void): void {
    const stream = this.#stream;
    stream.once("close", () => {
      const isComplete = this.#isAnswered && stream.rstCode === constants.NGHTTP2_NO_ERROR;
      if (!isComplete) listener(this.#stallReason ?? leaveReason(stream.rstCode));
    });
  }

  receive(receiver: BodyReceiver): void {
    const stream = this.#stream;
    this.#receiver = receiver;
    // An empty body ends, and a client leaves, without waiting for somebody to listen.
    if (stream.readableEnded) this.hearEnd();
    if (stream.destroyed) this.hearClose();
    if (stream.readableEnded || stream.destroyed) return;
    this.#flow.expectBody(receiver);
    stream.on("data", onData);
    stream.on("end", onEnd);
  }

  hearData(chunk: Buffer): void {
    this.#flow.onReceived();
    this.#receiver?.onData(chunk);
  }

  hearEnd(): void {
    const stream = this.#stream;
    this.#flow.stopExpecting();
    // A reset ends the readable side too; only the peer's END_STREAM completes the body.
    if (stream.aborted || stream.rstCode !== constants.NGHTTP2_NO_ERROR) return;
    this.#isRequestEnded = true;
    this.#receiver?.onEnd();
  }

  hearClose(): void {
    this.#flow.release();
    if (this.#isRequestEnded) return;
    this.#receiver?.onError(this.#stallReason ?? leaveReason(this.#stream.rstCode));
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
    this.#flow.stopExpecting();
    if (stream.destroyed || stream.closed) return;
    addCommonFields(fields, this.commonFields);
    fields[":status"] = String(status);
    const hasBody = body !== undefined && body.byteLength > 0;
    if (!hasBody && trailers === undefined) {
      stream.respond(fields as OutgoingHttpHeaders, { endStream: true });
      this.#releaseRequest();
      return;
    }
    stream.respond(fields as OutgoingHttpHeaders, trailers ? withTrailers : undefined);
    this.#sendAtEnd(trailers);
    if (hasBody && body.byteLength > PIECE_BYTES) {
      this.#flow.write(body);
      this.#end();
      return;
    }
    this.#flow.onWriting();
    stream.end(body);
  }

  writeHead(status: number, fields: HeaderFields, hasTrailers: boolean): void {
    const stream = this.#stream;
    if (stream.destroyed || stream.closed) return;
    addCommonFields(fields, this.commonFields);
    fields[":status"] = String(status);
    stream.respond(fields as OutgoingHttpHeaders, hasTrailers ? withTrailers : undefined);
  }

  write(bytes: Uint8Array): boolean {
    const stream = this.#stream;
    return stream.destroyed || stream.closed || this.#flow.write(bytes);
  }

  onceDrained(listener: () => void): void {
    this.#flow.onceDrained(listener);
  }

  end(trailers?: HeaderFields): void {
    const stream = this.#stream;
    this.#isAnswered = true;
    this.#flow.stopExpecting();
    if (stream.destroyed || stream.closed) return;
    this.#sendAtEnd(trailers);
    this.#end();
  }

  /** The client does not read what it asked for. */
  onReaderStalled(reason: ConnectError): void {
    this.#stallReason = reason;
    this.#stream.close(constants.NGHTTP2_CANCEL);
    // The reset may wait behind what the client does not read; the stream must not.
    this.#stream.destroy();
  }

  #end(): void {
    this.#flow.end(() => this.#stream.end());
  }

  #sendAtEnd(trailers: HeaderFields | undefined): void {
    const stream = this.#stream;
    if (trailers) {
      this.#trailers = trailers;
      stream.on("wantTrailers", onWantTrailers);
    } else if (!this.#isRequestEnded) {
      stream.once("finish", () => this.#releaseRequest());
    }
  }

  sendTrailers(): void {
    this.#stream.sendTrailers(this.#trailers as OutgoingHttpHeaders);
    this.#releaseRequest();
  }

  #releaseRequest(): void {
    if (this.#isRequestEnded || this.#stream.readableEnded) return;
    setImmediate(closeWhenSent, this.#stream);
  }
}

/** How long until a socket that was busy with a write is looked at again. */
const BUSY_SOCKET_MS = 20;

/**
 * After an answer to a request that is still being sent: NO_ERROR asks the client to stop sending
 * (RFC 9113, section 8.1), and the stream does not stay half open.
 *
 * nghttp2 drops what a stream has not written yet when it is reset, so END_STREAM must be out before.
 * Node destroys a stream only after its request was read to the end, so the rest is thrown away.
 */
export function closeWhenSent(stream: ServerHttp2Stream): void {
  if (stream.readableEnded || stream.destroyed) return;
  if (!stream.closed && stream.state.localClose !== 1) {
    setTimeout(closeWhenSent, BUSY_SOCKET_MS, stream);
    return;
  }
  stream.close(constants.NGHTTP2_NO_ERROR);
  stream.resume();
}

const withTrailers = { waitForTrailers: true };

function ignore(): void {}

function onData(this: OwnedStream, chunk: Buffer): void {
  this[exchangeOf].hearData(chunk);
}

function onEnd(this: OwnedStream): void {
  this[exchangeOf].hearEnd();
}

function onClose(this: OwnedStream): void {
  this[exchangeOf].hearClose();
}

function onWantTrailers(this: OwnedStream): void {
  this[exchangeOf].sendTrailers();
}

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
      return clientLeft();
  }
}
