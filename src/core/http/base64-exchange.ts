import type { ConnectError } from "@connectrpc/connect";
import type { Peer } from "../context-keys.ts";
import type { HeaderFields } from "../rpc/rpc-headers.ts";
import type { BodyReceiver, Exchange } from "./exchange.ts";

/**
 * The text form of gRPC-Web: the same exchange with both bodies in base64. Senders may pad in the middle,
 * where they flushed, so every group of four characters stands for itself.
 */
export class Base64Exchange implements Exchange {
  readonly #inner: Exchange;

  constructor(inner: Exchange) {
    this.#inner = inner;
  }

  get httpVersion(): 1 | 2 {
    return this.#inner.httpVersion;
  }

  get transport(): "http" | "in-process" {
    return this.#inner.transport;
  }

  get headers(): HeaderFields {
    return this.#inner.headers;
  }

  get commonFields(): HeaderFields | undefined {
    return this.#inner.commonFields;
  }

  get requestMethod(): string {
    return this.#inner.requestMethod;
  }

  get target(): string {
    return this.#inner.target;
  }

  get url(): string {
    return this.#inner.url;
  }

  get peer(): Peer {
    return this.#inner.peer;
  }

  get closeReason(): ConnectError | undefined {
    return this.#inner.closeReason;
  }

  onLeave(listener: (reason: ConnectError) => void): void {
    this.#inner.onLeave(listener);
  }

  receive(receiver: BodyReceiver): void {
    let rest = "";
    this.#inner.receive({
      get isMissingBytes() {
        return receiver.isMissingBytes;
      },
      onData(chunk) {
        const text = rest + chunk.toString("latin1");
        const whole = text.length - (text.length % 4);
        rest = text.slice(whole);
        receiver.onData(decodeGroups(text.slice(0, whole)));
      },
      onEnd: () => receiver.onEnd(),
      onError: (reason) => receiver.onError(reason),
    });
  }

  pause(): void {
    this.#inner.pause();
  }

  resume(): void {
    this.#inner.resume();
  }

  respond(status: number, fields: HeaderFields, body?: Uint8Array, trailers?: HeaderFields): void {
    this.#inner.respond(status, asText(fields), body && encode(body), trailers);
  }

  writeHead(status: number, fields: HeaderFields, hasTrailers: boolean): void {
    this.#inner.writeHead(status, asText(fields), hasTrailers);
  }

  write(bytes: Uint8Array): boolean {
    return this.#inner.write(encode(bytes));
  }

  onceDrained(listener: () => void): void {
    this.#inner.onceDrained(listener);
  }

  end(trailers?: HeaderFields): void {
    this.#inner.end(trailers);
  }
}

function decodeGroups(text: string): Buffer {
  if (!text.includes("=")) return Buffer.from(text, "base64");
  const parts = text.match(/[^=]+={0,2}/g) ?? [];
  return Buffer.concat(parts.map((part) => Buffer.from(part, "base64")));
}

function encode(bytes: Uint8Array): Buffer {
  const { buffer, byteOffset, byteLength } = bytes;
  return Buffer.from(Buffer.from(buffer, byteOffset, byteLength).toString("base64"), "latin1");
}

function asText(fields: HeaderFields): HeaderFields {
  const contentType = fields["content-type"] as string;
  fields["content-type"] = contentType.replace("grpc-web", "grpc-web-text");
  return fields;
}
