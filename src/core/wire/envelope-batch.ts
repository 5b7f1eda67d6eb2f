import { ENVELOPE_BYTES, LARGE_MESSAGE_BYTES } from "./envelope.ts";

/** Messages in their envelopes that wait to be written together: small ones become one buffer. */
export class EnvelopeBatch {
  #flags: number[] = [];
  #messages: Uint8Array[] = [];
  #copiedBytes = 0;
  #byteLength = 0;

  /** Bytes on the wire. */
  get byteLength(): number {
    return this.#byteLength;
  }

  add(flags: number, message: Uint8Array): void {
    const { byteLength } = message;
    this.#flags.push(flags);
    this.#messages.push(message);
    this.#byteLength += ENVELOPE_BYTES + byteLength;
    this.#copiedBytes += ENVELOPE_BYTES + (byteLength < LARGE_MESSAGE_BYTES ? byteLength : 0);
  }

  /** What to write, in order; the batch is empty afterwards. */
  take(): Uint8Array[] {
    const flags = this.#flags;
    const messages = this.#messages;
    const chunks: Uint8Array[] = [];
    const buffer = Buffer.allocUnsafe(this.#copiedBytes);
    let begin = 0;
    let end = 0;
    for (let index = 0; index < messages.length; index++) {
      const message = messages[index] as Uint8Array;
      buffer[end] = flags[index] as number;
      buffer.writeUInt32BE(message.byteLength, end + 1);
      end += ENVELOPE_BYTES;
      if (message.byteLength < LARGE_MESSAGE_BYTES) {
        buffer.set(message, end);
        end += message.byteLength;
      } else {
        chunks.push(buffer.subarray(begin, end), message);
        begin = end;
      }
    }
    if (end > begin) chunks.push(begin === 0 ? buffer : buffer.subarray(begin, end));
    if (messages.length === 1) {
      // As in a conversation: the lists are used again.
      flags.pop();
      messages.pop();
    } else {
      this.#flags = [];
      this.#messages = [];
    }
    this.#copiedBytes = 0;
    this.#byteLength = 0;
    return chunks;
  }
}
