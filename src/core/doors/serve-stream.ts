import type { Message } from "@bufbuild/protobuf";
import type { ConnectError, StreamResponse } from "@connectrpc/connect";
import type { Exchange } from "../http/exchange.ts";
import type { Call } from "../rpc/call.ts";
import type { Method } from "../rpc/method.ts";
import { type Codec, wireLength } from "../wire/codec.ts";
import { COMPRESSED_FLAG } from "../wire/envelope.ts";
import { EnvelopeBatch } from "../wire/envelope-batch.ts";
import { isWorthCompressing, type NegotiatedCompression } from "../wire/negotiate-compression.ts";
import { addHeaders, type Door, type Metadata } from "./door.ts";
import { openCall } from "./open-call.ts";
import { RequestStream } from "./request-stream.ts";

/** Serves a call of any streaming kind. */
export function serveStream(exchange: Exchange, method: Method, door: Door, codec: Codec): void {
  const { call, compression, error } = openCall(exchange, method, door, door.stream);
  const serving = new StreamServing(exchange, method, door, codec, call, compression);
  if (error) serving.finish(error);
  else void serving.run();
}

/** Frames that are ready in one turn of the event loop go out as one write, up to this size. */
const BATCH_BYTES = 64 * 1024;

class StreamServing {
  readonly #exchange: Exchange;
  readonly #method: Method;
  readonly #door: Door;
  readonly #codec: Codec;
  readonly #call: Call;
  readonly #compression: NegotiatedCompression;
  readonly #requests: RequestStream;
  #metadata: Metadata | undefined;
  readonly #batch = new EnvelopeBatch();
  #isFlushScheduled = false;
  #isHeadSent = false;
  #isFinished = false;
  #isBlocked = false;
  #hasLeft = false;
  #wake: (() => void) | undefined;
  #responses: AsyncIterator<Message> | undefined;

  constructor(
    exchange: Exchange,
    method: Method,
    door: Door,
    codec: Codec,
    call: Call,
    compression: NegotiatedCompression,
  ) {
    this.#exchange = exchange;
    this.#method = method;
    this.#door = door;
    this.#codec = codec;
    this.#call = call;
    this.#compression = compression;
    this.#requests = new RequestStream(exchange, call, codec, compression, {
      readMaxBytes: method.options.readMaxBytes,
      endFlag: door.stream.endFlag,
      takesOne: method.desc.methodKind === "server_streaming",
    });
  }

  async run(): Promise<void> {
    this.#call.onResponseHeader = this.#scheduleFlush;
    this.#exchange.onLeave((reason) => this.#leave(reason));
    try {
      let answer: StreamResponse | AsyncIterable<Message> | undefined;
      const passing = this.#method.pass(this.#call);
      if (passing) answer = (await passing) as StreamResponse | undefined;
      answer ??= await this.#method.callStream(this.#call, this.#requests);
      await this.#write(this.#messagesOf(answer));
      this.finish(undefined);
    } catch (thrown) {
      this.finish(this.#method.toError(thrown, this.#call));
    }
  }

  /** Ends the answer, with an error or without, and the call. */
  finish(error: ConnectError | undefined): void {
    if (this.#isFinished) return;
    this.#isFinished = true;
    this.#requests.release();
    if (!this.#hasLeft) this.#end(error);
    this.#call.end(error);
  }

  #end(error: ConnectError | undefined): void {
    const { stream } = this.#door;
    const trailer = this.#metadata?.trailer ?? this.#call.touchedResponseTrailer;
    if (error && !this.#isHeadSent && this.#batch.byteLength === 0) {
      stream.sendError(this.#exchange, this.#codec, error, { header: this.#header(), trailer });
      return;
    }
    this.#flush(true);
    stream.end(this.#exchange, error, trailer);
  }

  #messagesOf(answer: StreamResponse | AsyncIterable<Message>): AsyncIterable<Message> {
    if (!this.#method.hasInterceptors(this.#call)) return answer as AsyncIterable<Message>;
    const response = answer as StreamResponse;
    this.#metadata = response;
    if (response.header !== this.#call.touchedResponseHeader) this.#scheduleFlush();
    return response.message;
  }

  async #write(messages: AsyncIterable<Message>): Promise<void> {
    const responses = messages[Symbol.asyncIterator]();
    this.#responses = responses;
    for (;;) {
      if (this.#hasLeft) return void (await responses.return?.());
      const result = await responses.next();
      if (result.done || this.#hasLeft) return;
      try {
        const sending = this.#send(result.value);
        if (sending) await sending;
      } catch (error) {
        await responses.return?.();
        throw error;
      }
    }
  }

  /** Returns a promise only when there is something to wait for. */
  #send(message: Message): Promise<void> | undefined {
    const output = this.#method.toOutput(message);
    const bytes = this.#codec.serialize(output);
    if (this.#call.observers) this.#call.sent(output, wireLength(this.#codec, bytes));
    const { response } = this.#compression;
    if (isWorthCompressing(response, bytes, this.#method.options.compression.minBytes)) {
      return response.compress(bytes).then((compressed) => {
        this.#queue(COMPRESSED_FLAG, compressed);
        return this.#drained();
      });
    }
    this.#queue(0, bytes);
    return this.#drained();
  }

  #queue(flags: number, message: Uint8Array): void {
    this.#batch.add(flags, message);
    if (this.#batch.byteLength >= BATCH_BYTES) this.#flush(true);
    else this.#scheduleFlush();
  }

  #drained(): Promise<void> | undefined {
    if (!this.#isBlocked || this.#hasLeft) return undefined;
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  readonly #scheduleFlush = (): void => {
    if (this.#isFlushScheduled) return;
    this.#isFlushScheduled = true;
    process.nextTick(this.#flushTick);
  };

  readonly #flushTick = (): void => {
    this.#isFlushScheduled = false;
    if (!this.#isFinished && !this.#hasLeft) this.#flush(this.#isReadyForHead());
  };

  /** Before the first message, headers go out once the handler has set some. */
  #isReadyForHead(): boolean {
    if (this.#isHeadSent || this.#batch.byteLength > 0) return true;
    return this.#header() !== undefined;
  }

  #header(): Metadata["header"] {
    return this.#metadata ? this.#metadata.header : this.#call.touchedResponseHeader;
  }

  #flush(withHead: boolean): void {
    const exchange = this.#exchange;
    if (!this.#isHeadSent && withHead) {
      this.#isHeadSent = true;
      const fields = this.#door.stream.header(this.#codec, this.#compression.response?.name);
      addHeaders(fields, this.#header());
      exchange.writeHead(200, fields, this.#door.stream.hasTrailers);
    }
    if (this.#batch.byteLength === 0) return;
    let hasRoom = true;
    for (const chunk of this.#batch.take()) hasRoom = exchange.write(chunk);
    if (hasRoom || this.#isBlocked) return;
    this.#isBlocked = true;
    exchange.onceDrained(() => {
      this.#isBlocked = false;
      this.#wakeUp();
    });
  }

  #wakeUp(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  /** The client has left: handler and generator end, nothing more is written. */
  #leave(reason: ConnectError): void {
    if (this.#isFinished) return;
    this.#hasLeft = true;
    this.#call.abort(reason);
    this.#requests.fail(reason);
    this.#wakeUp();
    this.#responses?.return?.().then(undefined, () => {});
  }
}
