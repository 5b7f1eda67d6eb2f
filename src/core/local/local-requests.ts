import type { Message } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import { noMessage, type OneMessage, tooManyMessages } from "../rpc/messages.ts";

type Result = IteratorResult<Message>;

/** Whose requests they are. */
export interface RequestOwner {
  normalize(item: unknown): Message;
  /** The caller's own iterable has thrown, or yielded something that is no message. */
  failInput(error: unknown): void;
}

/**
 * The request messages of an in-process stream, as the handler reads them. The caller's iterable runs at
 * most one message ahead of it.
 */
export class LocalRequests implements AsyncIterableIterator<Message>, OneMessage<Message> {
  readonly #input: AsyncIterator<unknown>;
  readonly #owner: RequestOwner;
  #ahead: Result | undefined;
  #resolve: ((result: Result) => void) | undefined;
  #reject: ((error: ConnectError) => void) | undefined;
  #reading: Promise<Result> | undefined;
  #error: ConnectError | undefined;
  #isPulling = false;
  #isInputOver = false;
  #isReleased = false;

  constructor(input: AsyncIterable<unknown>, owner: RequestOwner) {
    this.#input = input[Symbol.asyncIterator]();
    this.#owner = owner;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Asks for the next message before the handler does. */
  pull(): void {
    if (this.#isPulling || this.#isInputOver) return;
    this.#isPulling = true;
    this.#read(this.#onItem);
  }

  next(): Promise<Result> {
    if (this.#error) return Promise.reject(this.#error);
    if (this.#isReleased) return Promise.resolve(done);
    const ahead = this.#ahead;
    if (ahead) {
      if (!ahead.done) this.#ahead = undefined;
      this.pull();
      return Promise.resolve(ahead);
    }
    if (this.#resolve && this.#reading) {
      const again = () => this.next();
      return this.#reading.then(again, again);
    }
    this.#reading = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.pull();
    return this.#reading;
  }

  exactlyOne(): Promise<Message> {
    return new Promise((resolve, reject) => {
      if (this.#error) reject(this.#error);
      this.#reject = reject;
      let message: Message | undefined;
      const onItem = (item: IteratorResult<unknown>): void => {
        if (item.done) {
          this.#isInputOver = true;
          if (message) resolve(message);
          else reject(noMessage());
        } else if (message) {
          reject(tooManyMessages());
        } else {
          try {
            message = this.#owner.normalize(item.value);
            this.#read(onItem);
          } catch (error) {
            this.#onThrown(error);
          }
        }
      };
      this.#read(onItem);
    });
  }

  return(): Promise<Result> {
    this.release();
    return Promise.resolve(done);
  }

  fail(error: ConnectError): void {
    this.#error ??= error;
    this.#reject?.(error);
    this.release();
  }

  /** Nobody reads any more; the caller's iterable is told so. */
  release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    this.#resolve?.(done);
    if (this.#isInputOver) return;
    this.#isInputOver = true;
    Promise.resolve(this.#input.return?.()).then(undefined, () => {});
  }

  #read(onItem: (item: IteratorResult<unknown>) => void): void {
    try {
      Promise.resolve(this.#input.next()).then(onItem, this.#onThrown);
    } catch (error) {
      this.#onThrown(error);
    }
  }

  readonly #onItem = (item: IteratorResult<unknown>): void => {
    this.#isPulling = false;
    if (this.#isReleased) return;
    let result: Result = done;
    try {
      if (item.done) this.#isInputOver = true;
      else result = { done: false, value: this.#owner.normalize(item.value) };
    } catch (error) {
      this.#onThrown(error);
      return;
    }
    const resolve = this.#resolve;
    this.#resolve = undefined;
    if (!resolve || item.done) this.#ahead = result;
    if (!resolve) return;
    this.pull();
    resolve(result);
  };

  readonly #onThrown = (error: unknown): void => {
    this.#isInputOver = true;
    this.#owner.failInput(error);
  };
}

const done: IteratorReturnResult<undefined> = { done: true, value: undefined };
