import { once } from "node:events";
import { type Socket, connect as tcpConnect } from "node:net";
import { connect as tlsConnect } from "node:tls";

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Buffer;
}

export const frameType = {
  data: 0,
  headers: 1,
  reset: 3,
  settings: 4,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

/** The largest frame of a connection that has not agreed on more. */
const MAX_FRAME_BYTES = 16_384;

export const END_STREAM = 1;
export const END_HEADERS = 4;
export const ENHANCE_YOUR_CALM = 11;
export const CANCEL = 8;

export function encodeFrame(
  type: number,
  flags: number,
  streamId: number,
  payload: Uint8Array = Buffer.alloc(0),
): Buffer {
  const frame = Buffer.alloc(9 + payload.byteLength);
  frame.writeUIntBE(payload.byteLength, 0, 3);
  frame[3] = type;
  frame[4] = flags;
  frame.writeUInt32BE(streamId, 5);
  frame.set(payload, 9);
  return frame;
}

/** HPACK with literals only: no table, no Huffman code. */
export function encodeHeaders(fields: Record<string, string>): Buffer {
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

/** An HTTP/2 client that sends what it is told, frame by frame, and remembers what it gets. */
export class RawHttp2 {
  readonly socket: Socket;
  readonly frames: Frame[] = [];
  readonly closed: Promise<void>;
  #rest = Buffer.alloc(0);
  #waiting: Array<() => void> = [];

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on("error", () => {});
    socket.on("data", (chunk) => this.#read(chunk));
    this.closed = new Promise((resolve) => socket.once("close", () => resolve()));
    socket.once("close", () => this.#wake());
  }

  /** Connects and exchanges settings. `windowSize` is what the server may send per stream. */
  static async open(port: number, isTls: boolean, windowSize?: number): Promise<RawHttp2> {
    const socket = isTls
      ? tlsConnect({ port, host: "127.0.0.1", rejectUnauthorized: false, ALPNProtocols: ["h2"] })
      : tcpConnect(port, "127.0.0.1");
    const client = new RawHttp2(socket);
    await once(socket, isTls ? "secureConnect" : "connect");
    socket.setNoDelay(true);
    const settings = Buffer.alloc(windowSize === undefined ? 0 : 6);
    if (windowSize !== undefined) {
      settings.writeUInt16BE(4, 0);
      settings.writeUInt32BE(windowSize, 2);
    }
    socket.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    client.send(frameType.settings, 0, 0, settings);
    await client.find((frame) => frame.type === frameType.settings);
    client.send(frameType.settings, 1, 0);
    return client;
  }

  send(type: number, flags: number, streamId: number, payload?: Uint8Array): void {
    this.socket.write(encodeFrame(type, flags, streamId, payload));
  }

  /** Sends a header block, in as many frames as it takes. */
  request(streamId: number, fields: Record<string, string>, flags = END_HEADERS): void {
    const block = encodeHeaders(fields);
    if (block.byteLength <= MAX_FRAME_BYTES) {
      this.send(frameType.headers, flags, streamId, block);
      return;
    }
    this.send(frameType.headers, flags & END_STREAM, streamId, block.subarray(0, MAX_FRAME_BYTES));
    const rest = block.subarray(MAX_FRAME_BYTES);
    this.send(frameType.continuation, flags & END_HEADERS, streamId, rest);
  }

  /** The first frame that fits, now or later; undefined once the connection is closed without one. */
  async find(fits: (frame: Frame) => boolean): Promise<Frame | undefined> {
    for (;;) {
      const frame = this.frames.find(fits);
      if (frame || this.socket.destroyed) return frame;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** Error code of the GOAWAY, or undefined if the connection closes without one. */
  async goaway(): Promise<number | undefined> {
    const frame = await this.find(({ type }) => type === frameType.goaway);
    return frame?.payload.readUInt32BE(4);
  }

  /** Error code of the reset of a stream. */
  async reset(streamId: number): Promise<number | undefined> {
    const frame = await this.find(
      (candidate) => candidate.type === frameType.reset && candidate.streamId === streamId,
    );
    return frame?.payload.readUInt32BE(0);
  }

  #read(chunk: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    while (this.#rest.byteLength >= 9) {
      const length = this.#rest.readUIntBE(0, 3);
      if (this.#rest.byteLength < 9 + length) break;
      this.frames.push({
        type: this.#rest[3] as number,
        flags: this.#rest[4] as number,
        streamId: this.#rest.readUInt32BE(5) & 0x7fff_ffff,
        payload: this.#rest.subarray(9, 9 + length),
      });
      this.#rest = this.#rest.subarray(9 + length);
    }
    this.#wake();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }
}
