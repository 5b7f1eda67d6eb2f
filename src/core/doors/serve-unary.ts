import type { Message } from "@bufbuild/protobuf";
import { Code, ConnectError, type UnaryResponse } from "@connectrpc/connect";
import type { BodyReceiver, Exchange } from "../http/exchange.ts";
import type { Call } from "../rpc/call.ts";
import { noMessage, tooManyMessages } from "../rpc/messages.ts";
import type { Method } from "../rpc/method.ts";
import { type Codec, wireLength } from "../wire/codec.ts";
import {
  COMPRESSED_FLAG,
  ENVELOPE_BYTES,
  type Envelope,
  EnvelopeDecoder,
  messageTooLarge,
  wholeEnvelope,
} from "../wire/envelope.ts";
import { isWorthCompressing, type NegotiatedCompression } from "../wire/negotiate-compression.ts";
import type { Door, Metadata } from "./door.ts";
import { badFlags, inflate, openCall } from "./open-call.ts";

/** Serves a unary call: one buffer in, one buffer out, and no promise where nothing is asynchronous. */
export function serveUnary(exchange: Exchange, method: Method, door: Door, codec: Codec): void {
  const opened = openCall(exchange, method, door, door.unary);
  const serving = new UnaryServing(exchange, method, door, codec, opened.call, opened.compression);
  if (opened.error) serving.fail(opened.error);
  else serving.begin();
}

/** Serves a unary call whose message came in the URL, undefined if it came broken. */
export function serveUnaryMessage(
  exchange: Exchange,
  method: Method,
  door: Door,
  codec: Codec,
  requestEncoding: string | undefined,
  envelope: Envelope | undefined,
): void {
  const opened = openCall(exchange, method, door, door.unary, requestEncoding);
  const serving = new UnaryServing(exchange, method, door, codec, opened.call, opened.compression);
  if (opened.error) serving.fail(opened.error);
  else if (envelope) serving.begin(envelope);
  else serving.fail(new ConnectError("message is not valid base64", Code.InvalidArgument));
}

class UnaryServing implements BodyReceiver {
  readonly #exchange: Exchange;
  readonly #method: Method;
  readonly #door: Door;
  readonly #codec: Codec;
  readonly #call: Call;
  readonly #compression: NegotiatedCompression;
  /** The request, if its first bytes were all of it. */
  #whole: Envelope | undefined;
  #decoder: EnvelopeDecoder | undefined;
  #chunks: Buffer[] = [];
  #received = 0;
  #isDone = false;

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
  }

  /** Starts the call; its message is read from the body unless it is given. */
  begin(envelope?: Envelope): void {
    const passing = this.#method.pass(this.#call);
    if (!passing) {
      this.#read(envelope);
      return;
    }
    passing.then((answer) => {
      if (answer === undefined) this.#read(envelope);
      else this.#answer(answer as UnaryResponse);
    }, this.#onFailure());
  }

  get isMissingBytes(): boolean {
    return !this.#isDone;
  }

  onData(chunk: Buffer): void {
    if (this.#isDone) return;
    if (this.#door.unary.isEnveloped) this.#addEnveloped(chunk);
    else this.#addBare(chunk);
  }

  onEnd(): void {
    if (this.#isDone) return;
    try {
      this.#decode(this.#door.unary.isEnveloped ? this.#envelope() : this.#body());
    } catch (error) {
      this.fail(error);
    }
  }

  onError(reason: ConnectError): void {
    this.fail(reason);
  }

  fail(thrown: unknown): void {
    if (this.#isDone) return;
    this.#isDone = true;
    const call = this.#call;
    const error = this.#method.toError(thrown, call);
    this.#exchange.pause();
    this.#door.unary.sendError(this.#exchange, this.#codec, error, {
      header: call.touchedResponseHeader,
      trailer: call.touchedResponseTrailer,
    });
    call.end(error);
  }

  /** Made only where something is asynchronous. */
  #onFailure(): (thrown: unknown) => void {
    return (thrown) => this.fail(thrown);
  }

  #read(envelope: Envelope | undefined): void {
    if (envelope) {
      try {
        this.#decode(envelope);
      } catch (error) {
        this.fail(error);
      }
      return;
    }
    const announced = this.#exchange.headers["content-length"];
    if (announced !== undefined) {
      const { readMaxBytes } = this.#method.options;
      const overhead = this.#door.unary.isEnveloped ? ENVELOPE_BYTES : 0;
      if (Number(announced) > readMaxBytes + overhead) {
        this.fail(messageTooLarge(Number(announced), readMaxBytes));
        return;
      }
    }
    this.#exchange.receive(this);
  }

  /** Refuses a message by the length it announces, before it is buffered; a second one likewise. */
  #addEnveloped(chunk: Buffer): void {
    const { readMaxBytes } = this.#method.options;
    try {
      if (this.#whole && chunk.byteLength > 0) throw tooManyMessages();
      if (!this.#decoder) {
        this.#whole ??= wholeEnvelope(chunk, readMaxBytes);
        if (this.#whole) return;
        this.#decoder = new EnvelopeDecoder(readMaxBytes);
      }
      const decoder = this.#decoder;
      decoder.push(chunk);
      const length = decoder.peek() ?? 0;
      if (decoder.buffered > ENVELOPE_BYTES + length) throw tooManyMessages();
    } catch (error) {
      this.fail(error);
    }
  }

  #addBare(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#received += chunk.byteLength;
    const { readMaxBytes } = this.#method.options;
    if (this.#received > readMaxBytes) this.fail(messageTooLarge(this.#received, readMaxBytes));
  }

  #envelope(): Envelope {
    if (this.#whole) return this.#whole;
    const envelope = this.#decoder?.next();
    if (!envelope) {
      this.#decoder?.finish();
      throw noMessage();
    }
    return envelope;
  }

  #body(): Envelope {
    const [first] = this.#chunks;
    const data = this.#chunks.length === 1 && first ? first : Buffer.concat(this.#chunks);
    this.#chunks = [];
    return { flags: this.#compression.request ? COMPRESSED_FLAG : 0, data };
  }

  #decode({ flags, data }: Envelope): void {
    const isInflatable = flags === COMPRESSED_FLAG && this.#compression.request !== undefined;
    if (flags === 0) {
      this.#invoke(data);
    } else if (isInflatable) {
      const { readMaxBytes } = this.#method.options;
      inflate(this.#compression.request, data, readMaxBytes)
        .then((inflated) => this.#invoke(inflated))
        .catch(this.#onFailure());
    } else {
      throw badFlags(flags);
    }
  }

  #invoke(bytes: Uint8Array): void {
    const message = this.#codec.parse(bytes);
    const call = this.#call;
    if (call.observers) call.received(message, wireLength(this.#codec, bytes));
    const output = this.#method.callUnary(call, message);
    if (isPromise(output)) output.then((settled) => this.#answer(settled), this.#onFailure());
    else this.#answer(output);
  }

  #answer(output: UnaryResponse | Message): void {
    if (this.#isDone) return;
    try {
      const isResponse = this.#method.hasInterceptors(this.#call);
      const metadata: Metadata = isResponse
        ? (output as UnaryResponse)
        : { header: this.#call.touchedResponseHeader, trailer: this.#call.touchedResponseTrailer };
      const message = isResponse ? (output as UnaryResponse).message : (output as Message);
      const bytes = this.#codec.serialize(message);
      if (this.#call.observers) this.#call.sent(message, wireLength(this.#codec, bytes));
      const { response } = this.#compression;
      if (isWorthCompressing(response, bytes, this.#method.options.compression.minBytes)) {
        response
          .compress(bytes)
          .then((compressed) => this.#send(compressed, response.name, metadata))
          .catch(this.#onFailure());
      } else {
        this.#send(bytes, undefined, metadata);
      }
    } catch (error) {
      this.fail(error);
    }
  }

  #send(bytes: Uint8Array, encoding: string | undefined, metadata: Metadata): void {
    if (this.#isDone) return;
    this.#isDone = true;
    this.#door.unary.send(this.#exchange, this.#codec, { bytes, encoding }, metadata);
    this.#call.end();
  }
}

function isPromise<T extends object>(value: T | Promise<T>): value is Promise<T> {
  return typeof (value as { then?: unknown }).then === "function";
}
