import { Code, ConnectError, type StreamRequest, type StreamResponse } from "@connectrpc/connect";
import {
  type AnyFn,
  type AnyRequest,
  type AnyResponse,
  callOfRequest,
  deadlineExceeded,
  MAX_TIMER_MS,
} from "../core/internal.ts";
import { watchMessages, withMessages } from "./message-stream.ts";
import { markOwnLimit } from "./own-limits.ts";

/** Limits one stream: its whole duration, and the gaps between its messages while somebody waits. */
export class StreamTimer {
  readonly #request: AnyRequest;
  readonly #timeoutMs: number | undefined;
  readonly #idleMs: number | undefined;
  readonly #controller: AbortController | undefined;
  #total: NodeJS.Timeout | undefined;
  #idle: NodeJS.Timeout | undefined;
  #reason: ConnectError | undefined;
  #reject: ((reason: ConnectError) => void) | undefined;

  constructor(request: AnyRequest, timeoutMs: number | undefined, idleMs: number | undefined) {
    this.#request = request;
    this.#timeoutMs = timeoutMs;
    this.#idleMs = idleMs;
    if (!callOfRequest(request)) this.#controller = new AbortController();
  }

  async run(next: AnyFn): Promise<AnyResponse> {
    const request = this.#begin() as StreamRequest;
    const messages = watchMessages(request.message, {
      onMessage: (message) => {
        if (this.#reject) this.#startIdle();
        return message;
      },
    });
    const running = next({ ...request, message: messages } as AnyRequest);
    try {
      const response = (await this.#limit(running)) as StreamResponse;
      return withMessages(response, this.#limitMessages(response.message));
    } catch (thrown) {
      this.#end();
      throw thrown;
    }
  }

  /** Starts the clock; the request to pass on has a signal that hears of it. */
  #begin(): AnyRequest {
    const request = this.#request;
    const call = callOfRequest(request);
    if (this.#timeoutMs !== undefined) {
      const now = performance.now();
      const limit = now + this.#timeoutMs;
      const due = call ? call.watchDeadline(limit) : limit;
      const delay = Math.min(Math.max(Math.ceil(due - now), 1), MAX_TIMER_MS);
      this.#total = setTimeout(() => this.#expire(this.#tookLonger()), delay);
    }
    const controller = this.#controller;
    if (!controller) return request;
    if (request.signal.aborted) this.#follow();
    else request.signal.addEventListener("abort", this.#follow);
    return { ...request, signal: controller.signal };
  }

  #limitMessages(messages: AsyncIterable<unknown>): AsyncIterable<unknown> {
    return {
      [Symbol.asyncIterator]: () => {
        const iterator = messages[Symbol.asyncIterator]();
        return {
          next: async () => {
            try {
              if (this.#reason) throw this.#reason;
              const result = await this.#limit(iterator.next());
              if (result.done) this.#end();
              return result;
            } catch (thrown) {
              this.#end();
              if (thrown === this.#reason) iterator.return?.().then(undefined, ignore);
              throw thrown;
            }
          },
          return: (value) => {
            this.#end();
            return iterator.return?.(value) ?? Promise.resolve({ done: true, value });
          },
        };
      },
    };
  }

  /** The same promise, unless the time is over before it settles. */
  #limit<T>(running: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#reason) reject(this.#reason);
      this.#reject = reject;
      this.#startIdle();
      const stop = () => {
        clearTimeout(this.#idle);
        this.#reject = undefined;
      };
      running.then(
        (value) => {
          stop();
          resolve(value);
        },
        (thrown) => {
          stop();
          reject(thrown);
        },
      );
    });
  }

  #startIdle(): void {
    clearTimeout(this.#idle);
    const idleMs = this.#idleMs;
    if (idleMs === undefined) return;
    this.#idle = setTimeout(() => {
      const text = `no message for ${idleMs} ms`;
      this.#expire(markOwnLimit(new ConnectError(text, Code.DeadlineExceeded)));
    }, idleMs);
  }

  #tookLonger(): ConnectError {
    const call = callOfRequest(this.#request);
    if (call && !call.isServerDeadline) return deadlineExceeded();
    const text = `the call took longer than ${this.#timeoutMs} ms`;
    return markOwnLimit(new ConnectError(text, Code.DeadlineExceeded));
  }

  #expire(reason: ConnectError): void {
    this.#reason = reason;
    const reject = this.#reject;
    this.#end();
    callOfRequest(this.#request)?.abort(reason);
    this.#controller?.abort(reason);
    reject?.(reason);
  }

  readonly #follow = (): void => this.#controller?.abort(this.#request.signal.reason);

  #end(): void {
    clearTimeout(this.#total);
    clearTimeout(this.#idle);
    if (this.#controller) this.#request.signal.removeEventListener("abort", this.#follow);
  }
}

function ignore(): void {}
