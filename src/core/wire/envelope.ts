import { Code, ConnectError } from "@connectrpc/connect";

// The five bytes before every message of gRPC, gRPC-Web and Connect streams: one of flags, four of
// length, big endian. https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md

export const ENVELOPE_BYTES = 5;
export const COMPRESSED_FLAG = 0b0000_0001;

export interface Envelope {
  readonly flags: number;
  readonly data: Uint8Array;
}

/** From this size on a message is written behind its envelope's head instead of copied next to it. */
export const LARGE_MESSAGE_BYTES = 64 * 1024;

/** The five bytes that stand before a message of this length. */
export function envelopeHead(flags: number, byteLength: number): Buffer {
  const bytes = Buffer.allocUnsafe(ENVELOPE_BYTES);
  bytes[0] = flags;
  bytes.writeUInt32BE(byteLength, 1);
  return bytes;
}

export function encodeEnvelope(flags: number, data: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(ENVELOPE_BYTES + data.byteLength);
  bytes[0] = flags;
  bytes.writeUInt32BE(data.byteLength, 1);
  bytes.set(data, ENVELOPE_BYTES);
  return bytes;
}

/** Cuts a stream of bytes into envelopes, whatever its chunks are. Copies only across chunks. */
export class EnvelopeDecoder {
  readonly #readMaxBytes: number;
  #chunks: Buffer[] = [];
  #offset = 0;
  #buffered = 0;

  constructor(readMaxBytes: number) {
    this.#readMaxBytes = readMaxBytes;
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#buffered += chunk.byteLength;
  }

  /**
   * The next envelope, or undefined until all of it has come. Throws as {@link peek} does, so before
   * a message over the limit is buffered.
   */
  next(): Envelope | undefined {
    const length = this.peek();
    if (length === undefined || this.#buffered < ENVELOPE_BYTES + length) return undefined;
    const first = this.#chunks[0] as Buffer;
    const end = this.#offset + ENVELOPE_BYTES + length;
    if (end < first.byteLength) {
      const flags = first[this.#offset] as number;
      const data = first.subarray(this.#offset + ENVELOPE_BYTES, end);
      this.#offset = end;
      this.#buffered -= ENVELOPE_BYTES + length;
      return { flags, data };
    }
    const flags = this.#byteAt(0);
    this.#take(ENVELOPE_BYTES);
    return { flags, data: this.#take(length) };
  }

  /**
   * The length the next envelope announces, or undefined until its five bytes have come. Throws
   * `resource_exhausted` if that is over the limit.
   */
  peek(): number | undefined {
    if (this.#buffered < ENVELOPE_BYTES) return undefined;
    const first = this.#chunks[0] as Buffer;
    const length =
      this.#offset + ENVELOPE_BYTES <= first.byteLength
        ? first.readUInt32BE(this.#offset + 1)
        : this.#lengthAcross();
    if (length > this.#readMaxBytes) throw messageTooLarge(length, this.#readMaxBytes);
    return length;
  }

  /** How many bytes have come and not been taken. */
  get buffered(): number {
    return this.#buffered;
  }

  /** Throws `invalid_argument` if the stream ended inside an envelope. */
  finish(): void {
    if (this.#buffered === 0) return;
    throw new ConnectError(
      `the request ended inside a message, ${this.#buffered} bytes into it`,
      Code.InvalidArgument,
    );
  }

  #lengthAcross(): number {
    const high = this.#byteAt(1) * 2 ** 24;
    return high + (this.#byteAt(2) << 16) + (this.#byteAt(3) << 8) + this.#byteAt(4);
  }

  #byteAt(index: number): number {
    let position = this.#offset + index;
    for (const chunk of this.#chunks) {
      if (position < chunk.byteLength) return chunk[position] as number;
      position -= chunk.byteLength;
    }
    return 0;
  }

  #take(length: number): Uint8Array {
    this.#buffered -= length;
    const [first] = this.#chunks;
    if (first === undefined) return new Uint8Array(0);
    const end = this.#offset + length;
    if (end < first.byteLength) {
      const bytes = first.subarray(this.#offset, end);
      this.#offset = end;
      return bytes;
    }
    if (end === first.byteLength) {
      const bytes = first.subarray(this.#offset);
      this.#chunks.shift();
      this.#offset = 0;
      return bytes;
    }
    return this.#takeAcross(length);
  }

  #takeAcross(length: number): Uint8Array {
    const bytes = Buffer.allocUnsafe(length);
    let written = 0;
    let used = 0;
    for (const chunk of this.#chunks) {
      const available = chunk.byteLength - this.#offset;
      const wanted = Math.min(available, length - written);
      chunk.copy(bytes, written, this.#offset, this.#offset + wanted);
      written += wanted;
      if (wanted < available) {
        this.#offset += wanted;
        break;
      }
      used++;
      this.#offset = 0;
      if (written === length) break;
    }
    this.#chunks.splice(0, used);
    return bytes;
  }
}

/**
 * The envelope if `bytes` are exactly one of at most `readMaxBytes`: how nearly every unary request
 * comes, and cheaper than a decoder.
 */
export function wholeEnvelope(bytes: Buffer, readMaxBytes: number): Envelope | undefined {
  if (bytes.byteLength < ENVELOPE_BYTES) return undefined;
  const length = bytes.readUInt32BE(1);
  if (bytes.byteLength !== ENVELOPE_BYTES + length || length > readMaxBytes) return undefined;
  return { flags: bytes[0] as number, data: bytes.subarray(ENVELOPE_BYTES) };
}

export function messageTooLarge(length: number, readMaxBytes: number): ConnectError {
  return new ConnectError(
    `message of ${length} bytes is larger than readMaxBytes ${readMaxBytes}`,
    Code.ResourceExhausted,
  );
}
