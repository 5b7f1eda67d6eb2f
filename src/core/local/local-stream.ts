import { create, type Message } from "@bufbuild/protobuf";
import { ConnectError, type StreamResponse } from "@connectrpc/connect";
import type { Call } from "../rpc/call.ts";
import type { Method } from "../rpc/method.ts";
import { toRpcError } from "../rpc/rpc-error.ts";
import { RpcHeaders } from "../rpc/rpc-headers.ts";
import type { LocalCall } from "./local-call.ts";
import { toClientError } from "./local-error.ts";
import { LocalRequests } from "./local-requests.ts";

type Result = IteratorResult<Message>;

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
  #ahead: Promise<Result> | undefined;
  #reject: ((error: ConnectError) => void) | undefined;
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
      (message) => create(method.desc.input, message as never),
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
        this.#outputs?.return?.().then(undefined, () => {});
        this.#finish();
        this.#reject?.(reason);
        reject(reason);
      });
    });
    left.catch(() => {});
    const hasHeader = new Promise<void>((resolve) => {
      call.onResponseHeader = () => process.nextTick(resolve);
    });
    try {
      await Promise.race([this.#begin(), left]);
      const first = this.#ahead?.then(ignore, ignore);
      await Promise.race([first, hasHeader, left]);
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
    const current = this.#ahead ?? Promise.resolve(done);
    return new Promise((resolve, reject) => {
      this.#reject = reject;
      if (this.#local.closeReason) reject(this.#local.closeReason);
      current.then(
        (result) => {
          if (result.done) this.#end();
          else this.#pull();
          resolve(result);
        },
        (thrown) => reject(this.#fail(thrown)),
      );
    });
  }

  /** The reader leaves before the end. */
  async return(): Promise<Result> {
    this.#isOver = true;
    this.#finish();
    await this.#outputs?.return?.();
    return done;
  }

  async #begin(): Promise<void> {
    const call = this.#call;
    const method = this.#method;
    let answer: StreamResponse | AsyncIterable<Message> | undefined;
    if (method.hasGates) answer = (await method.pass(call)) as StreamResponse | undefined;
    answer ??= await method.callStream(call, this.#requests);
    if (method.hasInterceptors) this.#response = answer as StreamResponse;
    const messages = this.#response ? this.#response.message : (answer as AsyncIterable<Message>);
    this.#outputs = messages[Symbol.asyncIterator]();
    this.#pull();
  }

  #pull(): void {
    this.#ahead = this.#outputs?.next();
    // Whoever reads it gets the error; until then it is nobody's.
    this.#ahead?.catch(ignore);
  }

  #end(): void {
    const trailer = this.#response ? this.#response.trailer : this.#call.touchedResponseTrailer;
    for (const [name, value] of trailer ?? []) this.#trailer.append(name, value);
    this.#ahead = undefined;
    this.#finish();
  }

  #fail(thrown: unknown): ConnectError {
    if (this.#local.closeReason) return this.#local.closeReason;
    const error = toClientError(thrown, this.#call);
    if (toRpcError(thrown, this.#call) !== thrown) this.#method.onInternalError(thrown, this.#call);
    this.#ahead = undefined;
    this.#finish();
    return error;
  }

  #finish(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#requests.release();
    this.#call.end();
    this.#onClose();
  }
}

function ignore(): void {}

const done: IteratorReturnResult<undefined> = { done: true, value: undefined };
