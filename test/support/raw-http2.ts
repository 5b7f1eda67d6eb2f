import type { Socket } from "node:net";
import { connect as connectTcp } from "node:net";
import { connect as connectTls } from "node:tls";

const frameNames = [
  "DATA",
  "HEADERS",
  "PRIORITY",
  "RST_STREAM",
  "SETTINGS",
  "PUSH_PROMISE",
  "PING",
  "GOAWAY",
  "WINDOW_UPDATE",
  "CONTINUATION",
] as const;

type FrameName = (typeof frameNames)[number];

export interface Frame {
  readonly name: FrameName | "unknown";
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Buffer;
}

export const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

export const flag = { ack: 1, endStream: 1, endHeaders: 4 } as const;

/** A client that speaks in frames and answers nothing by itself, so a test decides what happens when. */
export class RawHttp2 {
  readonly socket: Socket;
  /** Every frame since the connection began, in order. */
  readonly frames: Frame[] = [];
  /** Answer every PING as it comes, as clients do. */
  acknowledgesPings = false;
  #unread: Buffer = Buffer.alloc(0);
  #isClosed = false;
  readonly #waiting = new Set<() => void>();

  constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => this.#parse(chunk));
    socket.on("error", () => {});
    socket.once("close", () => {
      this.#isClosed = true;
      this.#wake();
    });
  }

  /** Connects and exchanges SETTINGS; with `ca` over TLS. */
  static async connect(port: number, ca?: string): Promise<RawHttp2> {
    const client = new RawHttp2(RawHttp2.open(port, ca));
    client.socket.write(preface);
    client.send("SETTINGS", 0, 0);
    const first = await client.next("SETTINGS");
    client.send("SETTINGS", flag.ack, 0);
    // Their acknowledgement proves that ours were read.
    await client.next("SETTINGS", client.frames.indexOf(first) + 1);
    return client;
  }

  /** A connection on which nothing was sent yet. */
  static open(port: number, ca?: string): Socket {
    const options = { host: "127.0.0.1", port };
    return ca ? connectTls({ ...options, ca, ALPNProtocols: ["h2"] }) : connectTcp(options);
  }

  send(
    name: FrameName,
    flags: number,
    streamId: number,
    payload: Uint8Array = new Uint8Array(),
  ): void {
    const head = Buffer.alloc(9);
    head.writeUIntBE(payload.length, 0, 3);
    head[3] = frameNames.indexOf(name);
    head[4] = flags;
    head.writeUInt32BE(streamId, 5);
    this.socket.write(Buffer.concat([head, payload]));
  }

  /** A whole unary call with the Connect protocol and an empty JSON message. */
  call(streamId: number, path: string): void {
    this.send("HEADERS", flag.endHeaders, streamId, requestHeaders(path, "application/json"));
    this.send("DATA", flag.endStream, streamId, Buffer.from("{}"));
  }

  acknowledge({ payload }: Frame): void {
    this.send("PING", flag.ack, 0, payload);
  }

  /** The first frame of this kind from index `from` on, as soon as there is one. */
  async next(name: FrameName, from = 0): Promise<Frame> {
    for (;;) {
      const frame = this.frames.slice(from).find((one) => one.name === name);
      if (frame) return frame;
      if (this.#isClosed) throw new Error(`closed without ${name}: ${this.names().join()}`);
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  async closed(): Promise<void> {
    while (!this.#isClosed) await new Promise<void>((resolve) => this.#waiting.add(resolve));
  }

  names(): string[] {
    return this.frames.map(({ name }) => name);
  }

  #parse(chunk: Buffer): void {
    let bytes = Buffer.concat([this.#unread, chunk]);
    while (bytes.length >= 9 && bytes.length >= 9 + bytes.readUIntBE(0, 3)) {
      const end = 9 + bytes.readUIntBE(0, 3);
      const frame: Frame = {
        name: frameNames[bytes[3] as number] ?? "unknown",
        flags: bytes[4] as number,
        streamId: bytes.readUInt32BE(5),
        payload: bytes.subarray(9, end),
      };
      this.frames.push(frame);
      if (this.acknowledgesPings && frame.name === "PING") this.acknowledge(frame);
      bytes = bytes.subarray(end);
    }
    this.#unread = bytes;
    this.#wake();
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}

/** HPACK (RFC 7541) of a POST, without its dynamic table and without Huffman codes. */
export function requestHeaders(path: string, contentType: string): Buffer {
  const methodPost = 0x83;
  const schemeHttp = 0x86;
  const literalAuthority = 0x01;
  const literalPath = 0x04;
  const literalContentType = [0x0f, 0x10];
  const text = (value: string) => [value.length, ...Buffer.from(value)];
  return Buffer.from([
    methodPost,
    schemeHttp,
    literalAuthority,
    ...text("localhost"),
    literalPath,
    ...text(path),
    ...literalContentType,
    ...text(contentType),
  ]);
}

/** What a GOAWAY says. */
export function goawayOf({ payload }: Frame): { lastStreamId: number; code: number } {
  return { lastStreamId: payload.readUInt32BE(0), code: payload.readUInt32BE(4) };
}
