import { create, type Message } from "@bufbuild/protobuf";
import { Code, ConnectError, type StreamResponse } from "@connectrpc/connect";
import type { Call } from "../rpc/call.ts";
import { clientLeft } from "../rpc/call-source.ts";
import type { Method } from "../rpc/method.ts";
import { RpcHeaders } from "../rpc/rpc-headers.ts";
import type { LocalCall } from "./local-call.ts";
import { toClientError } from "./local-error.ts";
import { LocalRequests, type RequestOwner } from "./local-requests.ts";

type Result = IteratorResult<Message>;
type Answer = StreamResponse | AsyncIterable<Message>;

/** A promise somebody waits for. */
interface Waiter<T> {
  resolve(value: T): void;
  reject(error: ConnectError): void;
}

/**
 * One in-process call of a streaming kind. The handler runs at most one message ahead of its reader, and
 * starts without waiting for one, as it would behind a network.
 */
export class LocalStream implements AsyncIterableIterator<Message>, RequestOwner {
  readonly #method: Method;
  readonly #call: Call;
  readonly #local: LocalCall;
  readonly #requests: LocalRequests;
  readonly #onClose: () => void;
  readonly #trailer = new RpcHeaders();
  #opening: Waiter<StreamResponse> | undefined;
  #response: StreamResponse | undefined;
  #outputs: AsyncIterator<Message> | undefined;
  /** The next message of the handler; the reader gets this very promise if it comes after the message. */
  #ahead: Promise<Result> | undefined;
  #isReady = false;
  #resolveReader: ((result: Result) => void) | undefined;
  #rejectReader: ((error: ConnectError) => void) | undefined;
  #reading: Promise<Result> | undefined;
  #error: ConnectError | undefined;
  #hasHeader = false;
  #isOver = false;

  constructor(
    method: Method,
    call: Call,
    local: LocalCall,
    input: AsyncIterable<unknown>,
    onClose: () => void,
  ) {
    this.#method = method;
    this.#call = call;
    this.#local = local;
    this.#onClose = onClose;
    this.#requests = new LocalRequests(input, this);
  }

  /** Resolves when the response headers are known: they are set and the handler waits, or a message came. */
  open(): Promise<StreamResponse> {
    return new Promise((resolve, reject) => {
      this.#opening = { resolve, reject };
      this.#call.onResponseHeader = () => process.nextTick(this.#onHeader);
      this.#local.onLeave(this.#onLeave);
      if (!this.#isOver) this.#begin();
    });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Result> {
    if (this.#isReady) {
      const ahead = this.#ahead as Promise<Result>;
      this.#isReady = false;
      this.#pull();
      return ahead;
    }
    if (this.#isOver) {
      const error = this.#error;
      if (!this.#local.callerError) this.#error = undefined;
      return error ? Promise.reject(error) : Promise.resolve(done);
    }
    if (this.#resolveReader && this.#reading) {
      const again = () => this.next();
      return this.#reading.then(again, again);
    }
    this.#reading = new Promise(this.#hold);
    return this.#reading;
  }

  /** One function for all messages, not a closure for each. */
  readonly #hold = (
    resolve: (result: Result) => void,
    reject: (error: ConnectError) => void,
  ): void => {
    this.#resolveReader = resolve;
    this.#rejectReader = reject;
  };

  /** The reader leaves before the end. */
  async return(): Promise<Result> {
    this.#finish(readerLeft, undefined);
    await this.#outputs?.return?.();
    return done;
  }

  normalize(item: unknown): Message {
    const message = create(this.#method.desc.input, item as never);
    if (this.#call.observers) this.#call.received(message, undefined);
    return message;
  }

  failInput(error: unknown): void {
    this.#local.leave(clientLeft(), ConnectError.from(error, Code.Internal));
  }

  #begin(): void {
    const method = this.#method;
    const call = this.#call;
    // As over a network, the caller's messages flow before the handler asks for them.
    if (method.desc.methodKind !== "server_streaming") this.#requests.pull();
    try {
      const passing = method.pass(call);
      const started = passing
        ? passing.then(
            (early) => (early as Answer | undefined) ?? method.callStream(call, this.#requests),
          )
        : method.callStream(call, this.#requests);
      started.then(this.#onAnswer, this.#onThrown);
    } catch (thrown) {
      this.#onThrown(thrown);
    }
  }

  readonly #onAnswer = (answer: Answer): void => {
    try {
      if (this.#method.hasInterceptors(this.#call)) this.#response = answer as StreamResponse;
      const messages = this.#response ? this.#response.message : (answer as AsyncIterable<Message>);
      this.#outputs = messages[Symbol.asyncIterator]();
    } catch (thrown) {
      this.#onThrown(thrown);
      return;
    }
    if (this.#isOver) {
      this.#endOutputs();
      return;
    }
    if (this.#hasHeader) this.#announce();
    this.#pull();
  };

  #pull(): void {
    try {
      const next = Promise.resolve(this.#outputs?.next() as Promise<Result>);
      this.#ahead = next.then(this.#onResult, this.#onThrown);
    } catch (thrown) {
      this.#onThrown(thrown);
    }
  }

  readonly #onResult = (result: Result): Result => {
    if (this.#isOver) return done;
    if (this.#opening) this.#announce();
    if (result.done) {
      const trailer = this.#response ? this.#response.trailer : this.#call.touchedResponseTrailer;
      for (const [name, value] of trailer ?? []) this.#trailer.append(name, value);
      this.#finish();
      return done;
    }
    let message = result;
    try {
      const value = this.#method.toOutput(result.value);
      if (this.#call.observers) this.#call.sent(value, undefined);
      if (value !== result.value) message = { done: false, value };
    } catch (thrown) {
      this.#endOutputs();
      return this.#onThrown(thrown);
    }
    const resolve = this.#resolveReader;
    if (resolve) {
      this.#resolveReader = undefined;
      this.#pull();
      resolve(message);
    } else {
      this.#isReady = true;
    }
    return message;
  };

  readonly #onThrown = (thrown: unknown): Result => {
    if (!this.#isOver) {
      const error = this.#method.toError(thrown, this.#call);
      this.#finish(error, toClientError(error, this.#call));
    }
    return done;
  };

  readonly #onLeave = (reason: ConnectError): void => {
    if (this.#isOver) return;
    this.#call.abort(reason);
    this.#requests.fail(reason);
    this.#endOutputs();
    this.#finish(reason, this.#local.callerError);
  };

  readonly #onHeader = (): void => {
    this.#hasHeader = true;
    if (this.#outputs && this.#opening) this.#announce();
  };

  #announce(): void {
    const { desc } = this.#method;
    const header = this.#response ? this.#response.header : this.#call.touchedResponseHeader;
    const opening = this.#opening;
    this.#opening = undefined;
    opening?.resolve({
      stream: true,
      service: desc.parent,
      method: desc,
      header: RpcHeaders.from(header),
      trailer: this.#trailer,
      message: this,
    } as unknown as StreamResponse);
  }

  /** Nobody reads any more: the handler's generator runs its `finally`. */
  #endOutputs(): void {
    this.#outputs?.return?.().then(undefined, ignore);
  }

  /** The call is over with `outcome`; whoever waits is told so, with the error of its own. */
  #finish(outcome?: ConnectError, error?: ConnectError): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#requests.release();
    this.#call.end(outcome);
    this.#onClose();
    const opening = this.#opening;
    const resolve = this.#resolveReader;
    this.#opening = undefined;
    this.#resolveReader = undefined;
    this.#isReady = false;
    if (!error) resolve?.(done);
    else if (opening) opening.reject(error);
    else if (resolve) this.#rejectReader?.(error);
    else this.#error = error;
  }
}

/** One for all calls: an error with its stack for every reader that has seen enough would be waste. */
const readerLeft = clientLeft();

function ignore(): void {}

const done: IteratorReturnResult<undefined> = { done: true, value: undefined };
