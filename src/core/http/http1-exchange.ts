import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import type { TLSSocket } from "node:tls";
import type { ConnectError } from "@connectrpc/connect";
import type { Peer } from "../context-keys.ts";
import { clientLeft } from "../rpc/call.ts";
import type { HeaderFields } from "../rpc/rpc-headers.ts";
import type { BodyReceiver, Exchange } from "./exchange.ts";
import { peerOf } from "./peer.ts";

export class Http1Exchange implements Exchange {
  readonly httpVersion = 1;
  readonly transport = "http";
  readonly headers: HeaderFields;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #isClosing: () => boolean;

  /** `isClosing` tells at the time of the answer whether it must carry `Connection: close`. */
  constructor(request: IncomingMessage, response: ServerResponse, isClosing: () => boolean) {
    this.#request = request;
    this.#response = response;
    this.#isClosing = isClosing;
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
    return response.closed && !response.writableFinished ? clientLeft() : undefined;
  }

  onLeave(listener: (reason: ConnectError) => void): void {
    const response = this.#response;
    // The request closes as soon as its body is read; only the response lasts as long as the call.
    response.once("close", () => {
      if (!response.writableFinished) listener(clientLeft());
    });
  }

  receive(receiver: BodyReceiver): void {
    const request = this.#request;
    request.on("data", (chunk: Buffer) => receiver.onData(chunk));
    request.once("end", () => receiver.onEnd());
    request.once("close", () => {
      if (!request.readableEnded) receiver.onError(clientLeft());
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
    if (response.destroyed) return;
    this.#addConnection(fields);
    if (trailers) {
      response.writeHead(status, fields as OutgoingHttpHeaders);
      if (body) response.write(body);
      this.end(trailers);
      return;
    }
    fields["content-length"] = String(body?.byteLength ?? 0);
    response.writeHead(status, fields as OutgoingHttpHeaders);
    response.end(body);
  }

  writeHead(status: number, fields: HeaderFields, _hasTrailers: boolean): void {
    const response = this.#response;
    if (response.destroyed) return;
    this.#addConnection(fields);
    response.writeHead(status, fields as OutgoingHttpHeaders);
    response.flushHeaders();
  }

  write(bytes: Uint8Array): boolean {
    const response = this.#response;
    return response.destroyed || response.write(bytes);
  }

  onceDrained(listener: () => void): void {
    this.#response.once("drain", listener);
  }

  end(trailers?: HeaderFields): void {
    const response = this.#response;
    if (response.destroyed) return;
    if (trailers) response.addTrailers(trailers as OutgoingHttpHeaders);
    response.end();
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
      request.pause();
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

function ignore(): void {}
