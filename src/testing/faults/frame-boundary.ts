const FRAME_HEADER_BYTES = 9;

/** Follows the HTTP/2 frames in a stream of bytes, to know where one ends and another may be put in. */
export class FrameBoundary {
  #header = Buffer.alloc(0);
  #payloadLeft = 0;

  /** Whether the bytes so far end with a whole frame. */
  get isAtBoundary(): boolean {
    return this.#payloadLeft === 0 && this.#header.byteLength === 0;
  }

  /** Follows `bytes`; returns how many of them belong to frames that are whole by then. */
  advance(bytes: Buffer): number {
    let position = 0;
    let boundary = 0;
    while (position < bytes.byteLength) {
      if (this.#payloadLeft === 0) {
        const missing = FRAME_HEADER_BYTES - this.#header.byteLength;
        const part = bytes.subarray(position, position + missing);
        this.#header = Buffer.concat([this.#header, part]);
        position += part.byteLength;
        if (this.#header.byteLength < FRAME_HEADER_BYTES) break;
        this.#payloadLeft = this.#header.readUIntBE(0, 3);
        this.#header = Buffer.alloc(0);
      }
      const taken = Math.min(this.#payloadLeft, bytes.byteLength - position);
      this.#payloadLeft -= taken;
      position += taken;
      if (this.#payloadLeft === 0) boundary = position;
    }
    return boundary;
  }
}
