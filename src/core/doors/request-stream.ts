import type { Message } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import type { BodyReceiver, Exchange } from "../http/exchange.ts";
import type { Call } from "../rpc/call.ts";
import { type Codec, wireLength } from "../wire/codec.ts";
import { COMPRESSED_FLAG, EnvelopeDecoder } from "../wire/envelope.ts";
import type { NegotiatedCompression } from "../wire/negotiate-compression.ts";
import { badFlags, inflate } from "./open-call.ts";

export interface RequestStreamOptions {
  readonly readMaxBytes: number;
  /** Flag of an envelope that clients may not send. */
  readonly endFlag: number;
  /** Whether the client must send one message and end, so that it has no reason to wait. */
  readonly takesOne: boolean;
}

interface Waiting {
  resolve(result: IteratorResult<Message> | Promise<IteratorResult<Message>>): void;
  reject(error: unknown): void;
}

/**
 * The request messages of a stream, read only as fast as they are asked for: while nobody waits, the
 * exchange is paused and holds back the client.
 */
export class RequestStream implements AsyncIterableIterator<Message>, BodyReceiver {
  readonly #exchange: Exchange;
  readonly #call: Call;
  readonly #codec: Codec;
  readonly #compression: NegotiatedCompression;
  readonly #readMaxBytes: number;
  readonly #endFlag: number;
  readonly #takesOne: boolean;
  readonly #decoder: EnvelopeDecoder;
  #waiting: Waiting | undefined;
  /** What the one who waits has got. */
  #reading: Promise<IteratorResult<Message>> | undefined;
  #error: unknown;
  #isReceiving = false;
  #isEnded = false;
  #isReleased = false;
  /** The last of several reads that were asked for at once, or one that takes its time. */
  #tail: Promise<unknown> | undefined;

  constructor(
    exchange: Exchange,
    call: Call,
    codec: Codec,
    compression: NegotiatedCompression,
    { readMaxBytes, endFlag, takesOne }: RequestStreamOptions,
  ) {
    this.#exchange = exchange;
    this.#call = call;
    this.#codec = codec;
    this.#compression = compression;
    this.#readMaxBytes = readMaxBytes;
    this.#endFlag = endFlag;
    this.#takesOne = takesOne;
    this.#decoder = new EnvelopeDecoder(readMaxBytes);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Message>> {
    const earlier = this.#tail ?? (this.#waiting ? this.#reading : undefined);
    if (earlier === undefined) return this.#next();
    const next = () => this.#next();
    return this.#follow(earlier.then(next, next));
  }

  return(): Promise<IteratorResult<Message>> {
    this.release();
    return Promise.resolve(done);
  }

  get isMissingBytes(): boolean {
    if (this.#waiting === undefined || this.#isEnded) return false;
    return this.#takesOne || this.#decoder.buffered > 0;
  }

  onData(chunk: Buffer): void {
    if (this.#isReleased || this.#error !== undefined) return;
    this.#decoder.push(chunk);
    if (this.#waiting) this.#deliver();
    else this.#exchange.pause();
  }

  onEnd(): void {
    this.#isEnded = true;
    if (this.#waiting) this.#deliver();
  }

  onError(reason: ConnectError): void {
    this.fail(reason);
  }

  fail(error: unknown): void {
    if (this.#isReleased) return;
    this.#error ??= error;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.reject(this.#error);
  }

  /** Nobody reads any more; what the client still sends is held back. */
  release(): void {
    this.#isReleased = true;
    if (this.#isReceiving) this.#exchange.pause();
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.resolve(done);
  }

  #next(): Promise<IteratorResult<Message>> {
    if (this.#error !== undefined) return Promise.reject(this.#error);
    if (this.#isReleased) return Promise.resolve(done);
    const reading = new Promise<IteratorResult<Message>>((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
    this.#reading = reading;
    this.#deliver();
    if (!this.#waiting) return reading;
    if (this.#isReceiving) {
      this.#exchange.resume();
    } else {
      this.#isReceiving = true;
      this.#exchange.receive(this);
    }
    return reading;
  }

  /** Reads that are asked for while this one is under way come after it. */
  #follow<T>(reading: Promise<T>): Promise<T> {
    this.#tail = reading;
    const clear = () => {
      if (this.#tail === reading) this.#tail = undefined;
    };
    reading.then(clear, clear);
    return reading;
  }

  /** Hands the next message to who waits, if it is complete. */
  #deliver(): void {
    const waiting = this.#waiting;
    if (!waiting) return;
    try {
      const envelope = this.#decoder.next();
      if (envelope) {
        this.#waiting = undefined;
        waiting.resolve(this.#decode(envelope.flags, envelope.data));
      } else if (this.#isEnded) {
        this.#decoder.finish();
        this.#waiting = undefined;
        waiting.resolve(done);
      }
    } catch (error) {
      this.#waiting = waiting;
      this.fail(error);
    }
  }

  #decode(
    flags: number,
    data: Uint8Array,
  ): IteratorResult<Message> | Promise<IteratorResult<Message>> {
    if (flags === 0) return this.#parse(data);
    if (flags === COMPRESSED_FLAG) {
      const inflating = inflate(this.#compression.request, data, this.#readMaxBytes).then(
        (inflated) => this.#parse(inflated),
        (error) => {
          this.#error ??= error;
          throw error;
        },
      );
      return this.#follow(inflating);
    }
    if ((flags & this.#endFlag) !== 0) {
      throw new ConnectError("a request stream has no end message", Code.InvalidArgument);
    }
    throw badFlags(flags);
  }

  #parse(bytes: Uint8Array): IteratorYieldResult<Message> {
    const value = this.#codec.parse(bytes);
    if (this.#call.observers) this.#call.received(value, wireLength(this.#codec, bytes));
    return { done: false, value };
  }
}

const done: IteratorReturnResult<undefined> = { done: true, value: undefined };
