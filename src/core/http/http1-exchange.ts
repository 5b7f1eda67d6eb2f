import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import type { TLSSocket } from "node:tls";
import type { ConnectError } from "@connectrpc/connect";
import type { Peer } from "../context-keys.ts";
import { clientLeft } from "../rpc/call-source.ts";
import type { HeaderFields } from "../rpc/rpc-headers.ts";
import { BodyFlow, PIECE_BYTES } from "./body-flow.ts";
import { addCommonFields, type BodyReceiver, type Exchange } from "./exchange.ts";
import { peerOf } from "./peer.ts";
import type { StallClock } from "./stall-clock.ts";

export class Http1Exchange implements Exchange {
  readonly httpVersion = 1;
  readonly transport = "http";
  readonly headers: HeaderFields;
  commonFields: HeaderFields | undefined;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #isClosing: () => boolean;
  readonly #flow: BodyFlow;
  #stallReason: ConnectError | undefined;

  /** `isClosing` tells at the time of the answer whether it must carry `Connection: close`. */
  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    isClosing: () => boolean,
    clock: StallClock,
  ) {
    this.#request = request;
    this.#response = response;
    this.#isClosing = isClosing;
    this.#flow = new BodyFlow(response, clock, this);
    this.headers = request.headers as HeaderFields;
    request.on("error", ignore);
    response.on("error", ignore);
  }

  get requestMethod(): string {
    return this.#request.method as string;
  }

  get target(): string {
    return this.#request.url as string;
  }

  get url(): string {
    const { headers, socket, url } = this.#request;
    const scheme = (socket as TLSSocket).encrypted ? "https" : "http";
    return `${scheme}://${headers.host ?? ""}${url}`;
  }

  get peer(): Peer {
    return peerOf(this.#request.socket);
  }

  get closeReason(): ConnectError | undefined {
    const response = this.#response;
    return response.closed && !response.writableFinished ? this.#leaveReason() : undefined;
  }

  onLeave(listener: (reason: ConnectError) => void): void {
    const response = this.#response;
    // The request closes as soon as its body is read; only the response lasts as long as the call.
    response.once("close", () => {
      if (!response.writableFinished) listener(this.#leaveReason());
    });
  }

  receive(receiver: BodyReceiver): void {
    const request = this.#request;
    if (request.destroyed) {
      receiver.onError(this.#leaveReason());
      return;
    }
    const flow = this.#flow;
    flow.expectBody(receiver);
    request.on("data", (chunk: Buffer) => {
      flow.onReceived();
      receiver.onData(chunk);
    });
    request.once("end", () => {
      flow.stopExpecting();
      receiver.onEnd();
    });
    request.once("close", () => {
      flow.stopExpecting();
      if (!request.readableEnded) receiver.onError(this.#leaveReason());
    });
  }

  pause(): void {
    this.#request.pause();
  }

  resume(): void {
    this.#request.resume();
  }

  respond(status: number, fields: HeaderFields, body?: Uint8Array, trailers?: HeaderFields): void {
    const response = this.#response;
    this.#flow.stopExpecting();
    if (response.destroyed) return;
    this.#addConnection(fields);
    addCommonFields(fields, this.commonFields);
    if (trailers === undefined && status !== 204) {
      fields["content-length"] = String(body?.byteLength ?? 0);
    }
    response.writeHead(status, fields as OutgoingHttpHeaders);
    if (trailers === undefined && (body === undefined || body.byteLength <= PIECE_BYTES)) {
      response.end(body);
      if (response.writableLength > 0) this.#watchEnd();
      return;
    }
    if (body) this.#flow.write(body);
    this.end(trailers);
  }

  writeHead(status: number, fields: HeaderFields, _hasTrailers: boolean): void {
    const response = this.#response;
    if (response.destroyed) return;
    this.#addConnection(fields);
    addCommonFields(fields, this.commonFields);
    response.writeHead(status, fields as OutgoingHttpHeaders);
    // `flushHeaders()` would write them in UTF-8, where every other way writes them in Latin-1.
    response.write(nothing);
  }

  write(bytes: Uint8Array): boolean {
    const response = this.#response;
    return response.destroyed || this.#flow.write(bytes);
  }

  onceDrained(listener: () => void): void {
    this.#flow.onceDrained(listener);
  }

  end(trailers?: HeaderFields): void {
    const response = this.#response;
    this.#flow.stopExpecting();
    if (response.destroyed) return;
    this.#flow.end(() => {
      if (trailers) response.addTrailers(trailers as OutgoingHttpHeaders);
      response.end(() => this.#flow.release());
    });
  }

  /** The client does not read what it asked for. */
  onReaderStalled(reason: ConnectError): void {
    this.#stallReason = reason;
    this.#request.socket.destroy();
  }

  /** Most answers are in the hands of the kernel at once; this one is not. */
  #watchEnd(): void {
    this.#flow.onWriting();
    this.#response.once("finish", () => this.#flow.release());
  }

  #leaveReason(): ConnectError {
    return this.#stallReason ?? clientLeft();
  }

  /** An answer to a request that is still being sent must close: the rest of the body is unread. */
  #addConnection(fields: HeaderFields): void {
    const isEarly = this.#hasUnreadBody;
    if (isEarly || this.#isClosing()) fields.connection = "close";
    if (isEarly) this.#lingerBeforeClose();
  }

  /**
   * Closing a socket with unread bytes makes the kernel send a reset, which can overtake the answer.
   * So the write side closes first, nothing more is read, and the socket goes a moment later.
   */
  #lingerBeforeClose(): void {
    const request = this.#request;
    const { socket } = request;
    socket.destroySoon = () => {
      // Node resumes a request nobody has read, to discard its body: a gigabyte, if the client has one.
      socket.resume = () => socket;
      request.pause();
      socket.pause();
      socket.end();
      const timer = setTimeout(() => socket.destroy(), LINGER_MS);
      socket.once("close", () => clearTimeout(timer));
    };
  }

  /** Node sets `complete` only after it has announced the request, so a request without body is told apart. */
  get #hasUnreadBody(): boolean {
    if (this.#request.complete) return false;
    const { "content-length": length = "0", "transfer-encoding": encoding } = this.headers;
    return length !== "0" || encoding !== undefined;
  }
}

const LINGER_MS = 500;
const nothing = new Uint8Array(0);

function ignore(): void {}
