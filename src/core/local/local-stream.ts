import { create, type Message } from "@bufbuild/protobuf";
import { Code, ConnectError, type StreamResponse } from "@connectrpc/connect";
import type { Call } from "../rpc/call.ts";
import type { Method } from "../rpc/method.ts";
import { RpcHeaders } from "../rpc/rpc-headers.ts";
import type { LocalCall } from "./local-call.ts";
import { toClientError } from "./local-error.ts";
import { LocalRequests } from "./local-requests.ts";

type Result = IteratorResult<Message>;

/** What `next()` of the handler's iterable came to. */
type Settled = { readonly result: Result } | { readonly thrown: unknown };

interface Reader {
  resolve(result: Result): void;
  reject(error: unknown): void;
}

/**
 * One in-process call of a streaming kind. The handler runs at most one message ahead of its reader, and
 * starts without waiting for one, as it would behind a network.
 */
export class LocalStream implements AsyncIterableIterator<Message> {
  readonly #method: Method;
  readonly #call: Call;
  readonly #local: LocalCall;
  readonly #requests: LocalRequests;
  readonly #onClose: () => void;
  readonly #trailer = new RpcHeaders();
  #response: StreamResponse | undefined;
  #outputs: AsyncIterator<Message> | undefined;
  /** The next result, while nobody has asked for it. */
  #ahead: Settled | undefined;
  #reader: Reader | undefined;
  #onFirst = () => {};
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
    this.#requests = new LocalRequests(
      input,
      (init) => {
        const message = create(method.desc.input, init as never);
        if (call.observers) call.received(message, undefined);
        return message;
      },
      (error) => local.leave(ConnectError.from(error)),
    );
  }

  /** Resolves when the response headers are known: they are set and the handler waits, or a message came. */
  async open(): Promise<StreamResponse> {
    const call = this.#call;
    const left = new Promise<never>((_, reject) => {
      this.#local.onLeave((reason) => {
        call.abort(reason);
        this.#requests.fail(reason);
        this.#outputs?.return?.().then(undefined, ignore);
        this.#finish();
        this.#reader?.reject(reason);
        reject(reason);
      });
    });
    left.catch(ignore);
    const hasHeader = new Promise<void>((resolve) => {
      call.onResponseHeader = () => process.nextTick(resolve);
    });
    const hasFirst = new Promise<void>((resolve) => {
      this.#onFirst = resolve;
    });
    try {
      await Promise.race([this.#begin(), left]);
      await Promise.race([hasFirst, hasHeader, left]);
    } catch (thrown) {
      throw this.#fail(thrown);
    }
    const { desc } = this.#method;
    const header = this.#response ? this.#response.header : call.touchedResponseHeader;
    return {
      stream: true,
      service: desc.parent,
      method: desc,
      header: RpcHeaders.from(header),
      trailer: this.#trailer,
      message: this,
    } as unknown as StreamResponse;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Result> {
    const { closeReason } = this.#local;
    if (closeReason) return Promise.reject(closeReason);
    const ahead = this.#ahead;
    if (!ahead && this.#isOver) return Promise.resolve(done);
    return new Promise((resolve, reject) => {
      const reader = { resolve, reject };
      this.#ahead = undefined;
      if (ahead) this.#deliver(ahead, reader);
      else this.#reader = reader;
    });
  }

  /** The reader leaves before the end. */
  async return(): Promise<Result> {
    this.#finish(readerLeft);
    await this.#outputs?.return?.();
    return done;
  }

  async #begin(): Promise<void> {
    const call = this.#call;
    const method = this.#method;
    let answer: StreamResponse | AsyncIterable<Message> | undefined;
    if (method.hasGates) answer = (await method.pass(call)) as StreamResponse | undefined;
    answer ??= await method.callStream(call, this.#requests);
    if (method.hasInterceptors(call)) this.#response = answer as StreamResponse;
    const messages = this.#response ? this.#response.message : (answer as AsyncIterable<Message>);
    this.#outputs = messages[Symbol.asyncIterator]();
    this.#pull();
  }

  #pull(): void {
    this.#outputs?.next().then(this.#onResult, this.#onThrown);
  }

  readonly #onResult = (result: Result): void => {
    if (result.done) {
      this.#settle({ result: done });
      return;
    }
    try {
      const value = this.#method.toOutput(result.value);
      if (this.#call.observers) this.#call.sent(value, undefined);
      this.#settle({ result: value === result.value ? result : { done: false, value } });
    } catch (thrown) {
      this.#settle({ thrown });
    }
  };

  readonly #onThrown = (thrown: unknown): void => this.#settle({ thrown });

  #settle(settled: Settled): void {
    this.#onFirst();
    const reader = this.#reader;
    this.#reader = undefined;
    if (reader) this.#deliver(settled, reader);
    else this.#ahead = settled;
  }

  #deliver(settled: Settled, { resolve, reject }: Reader): void {
    if ("thrown" in settled) {
      reject(this.#fail(settled.thrown));
      return;
    }
    if (settled.result.done) this.#end();
    else this.#pull();
    resolve(settled.result);
  }

  #end(): void {
    const trailer = this.#response ? this.#response.trailer : this.#call.touchedResponseTrailer;
    for (const [name, value] of trailer ?? []) this.#trailer.append(name, value);
    this.#finish();
  }

  #fail(thrown: unknown): ConnectError {
    if (this.#local.closeReason) return this.#local.closeReason;
    const error = this.#method.toError(thrown, this.#call);
    this.#finish(error);
    return toClientError(error, this.#call);
  }

  #finish(error?: ConnectError): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#requests.release();
    this.#call.end(error);
    this.#onClose();
  }
}

/** One for all calls: an error with its stack for every reader that has seen enough would be waste. */
const readerLeft = new ConnectError("the client left", Code.Canceled);

function ignore(): void {}

const done: IteratorReturnResult<undefined> = { done: true, value: undefined };
