import { connect as connectTcp, type Socket } from "node:net";
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

export const CANCEL = 8;
export const ENHANCE_YOUR_CALM = 11;

/** The largest frame of a connection that has not agreed on more. */
const MAX_FRAME_BYTES = 16_384;

/** A client that speaks in frames and answers nothing by itself, so a test decides what happens when. */
export class RawHttp2 {
  readonly socket: Socket;
  /** Every frame since the connection began, in order. */
  readonly frames: Frame[] = [];
  readonly closed: Promise<void>;
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
    this.closed = new Promise((resolve) => socket.once("close", () => resolve()));
    socket.once("close", () => {
      this.#isClosed = true;
      this.#wake();
    });
  }

  /** Connects and exchanges SETTINGS. `windowSize` is what the server may send per stream. */
  static async connect(port: number, ca?: string | boolean, windowSize?: number) {
    const client = new RawHttp2(RawHttp2.openSocket(port, ca));
    const settings = Buffer.alloc(windowSize === undefined ? 0 : 6);
    if (windowSize !== undefined) {
      settings.writeUInt16BE(4, 0);
      settings.writeUInt32BE(windowSize, 2);
    }
    client.socket.write(preface);
    client.send("SETTINGS", 0, 0, settings);
    const first = await client.next("SETTINGS");
    client.send("SETTINGS", flag.ack, 0);
    // Their acknowledgement proves that ours were read.
    await client.next("SETTINGS", client.frames.indexOf(first) + 1);
    return client;
  }

  /** A connection on which nothing was sent yet; over TLS with a `ca`, or with true, which trusts any. */
  static openSocket(port: number, ca?: string | boolean): Socket {
    const options = { host: "127.0.0.1", port };
    if (!ca) return connectTcp(options);
    const trusted = ca === true ? { rejectUnauthorized: false } : { ca };
    return connectTls({ ...options, ...trusted, ALPNProtocols: ["h2"] });
  }

  send(name: FrameName, flags: number, streamId: number, payload?: Uint8Array): void {
    this.socket.write(encodeFrame(name, flags, streamId, payload));
  }

  /** Sends a header block, in as many frames as it takes. */
  request(
    streamId: number,
    fields: Readonly<Record<string, string>>,
    flags: number = flag.endHeaders,
  ): void {
    const block = encodeHeaders(fields);
    if (block.byteLength <= MAX_FRAME_BYTES) {
      this.send("HEADERS", flags, streamId, block);
      return;
    }
    this.send("HEADERS", flags & flag.endStream, streamId, block.subarray(0, MAX_FRAME_BYTES));
    const rest = block.subarray(MAX_FRAME_BYTES);
    this.send("CONTINUATION", flags & flag.endHeaders, streamId, rest);
  }

  /** A whole unary call with the Connect protocol and an empty JSON message. */
  call(streamId: number, path: string): void {
    this.request(streamId, requestHeaders(path, "application/json"));
    this.send("DATA", flag.endStream, streamId, Buffer.from("{}"));
  }

  acknowledge({ payload }: Frame): void {
    this.send("PING", flag.ack, 0, payload);
  }

  /** The first frame that fits, now or later; undefined once the connection is closed without one. */
  async find(fits: (frame: Frame, index: number) => boolean): Promise<Frame | undefined> {
    for (;;) {
      const frame = this.frames.find(fits);
      if (frame || this.#isClosed) return frame;
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  /** The first frame of this kind from index `from` on, as soon as there is one. */
  async next(name: FrameName, from = 0): Promise<Frame> {
    const frame = await this.find((one, index) => index >= from && one.name === name);
    if (!frame) throw new Error(`closed without ${name}: ${this.names().join()}`);
    return frame;
  }

  /** Error code of the GOAWAY, or undefined if the connection closes without one. */
  async goaway(): Promise<number | undefined> {
    const frame = await this.find(({ name }) => name === "GOAWAY");
    return frame && goawayOf(frame).code;
  }

  /** Error code of the reset of a stream. */
  async reset(streamId: number): Promise<number | undefined> {
    const frame = await this.find((one) => one.name === "RST_STREAM" && one.streamId === streamId);
    return frame?.payload.readUInt32BE(0);
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
        streamId: bytes.readUInt32BE(5) & 0x7fff_ffff,
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

export function encodeFrame(
  name: FrameName,
  flags: number,
  streamId: number,
  payload: Uint8Array = Buffer.alloc(0),
): Buffer {
  const frame = Buffer.alloc(9 + payload.byteLength);
  frame.writeUIntBE(payload.byteLength, 0, 3);
  frame[3] = frameNames.indexOf(name);
  frame[4] = flags;
  frame.writeUInt32BE(streamId, 5);
  frame.set(payload, 9);
  return frame;
}

export function requestHeaders(path: string, contentType = "application/grpc+proto") {
  return {
    ":method": "POST",
    ":scheme": "http",
    ":path": path,
    ":authority": "localhost",
    "content-type": contentType,
    te: "trailers",
  };
}

/** HPACK (RFC 7541) with literals only: no table, no Huffman code. */
export function encodeHeaders(fields: Readonly<Record<string, string>>): Buffer {
  const parts: Buffer[] = [];
  const string = (text: string) => {
    const bytes = Buffer.from(text, "latin1");
    parts.push(encodeLength(bytes.byteLength), bytes);
  };
  for (const [name, value] of Object.entries(fields)) {
    parts.push(Buffer.from([0]));
    string(name);
    string(value);
  }
  return Buffer.concat(parts);
}

/** An integer with a prefix of seven bits (RFC 7541, section 5.1). */
function encodeLength(length: number): Buffer {
  if (length < 127) return Buffer.from([length]);
  const bytes = [127];
  let rest = length - 127;
  while (rest >= 128) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
  return Buffer.from(bytes);
}

/** What a GOAWAY says. */
export function goawayOf({ payload }: Frame): { lastStreamId: number; code: number } {
  return { lastStreamId: payload.readUInt32BE(0), code: payload.readUInt32BE(4) };
}
