import type { DescMethod, DescService, Message } from "@bufbuild/protobuf";
import { Code, ConnectError, type ContextValues, type HandlerContext } from "@connectrpc/connect";
import type { CallObserver } from "./call-observer.ts";
import type { CallRegistry } from "./call-registry.ts";
import type { CallSource, ProtocolName } from "./call-source.ts";
import { CallValues } from "./call-values.ts";
import { REQUEST_ID_HEADER, requestIdOf } from "./request-id.ts";
import { RpcHeaders } from "./rpc-headers.ts";

/**
 * One call on its way through a Method: the context handlers get, and what the door needs of it.
 * Headers, values, the signal and its timer come into being when somebody first reads them.
 */
export class Call implements HandlerContext {
  readonly method: DescMethod;
  readonly protocolName: ProtocolName;
  readonly source: CallSource;
  readonly #clientDeadline: number | undefined;
  #deadline: number | undefined;
  readonly #registry: CallRegistry;
  #requestHeader: RpcHeaders | undefined;
  #responseHeader: RpcHeaders | undefined;
  #responseTrailer: RpcHeaders | undefined;
  #values: ContextValues | undefined;
  #abort: AbortController | undefined;
  #timer: NodeJS.Timeout | undefined;
  #reason: ConnectError | undefined;
  #requestId: string | undefined;
  #abortListener: ((reason: ConnectError) => void) | undefined;
  #isEnded = false;
  #isWatched = false;
  /** Whether the deadline is this server's own, and not what the client asked for. */
  isServerDeadline = false;
  /** Told when a handler first touches the response headers, so that a stream can flush them. */
  onResponseHeader: (() => void) | undefined;
  /** What a gate threw to refuse this call. */
  refusal: unknown;
  /** Who follows the call; undefined when nobody does. */
  observers: readonly CallObserver[] | undefined;
  /** Turns what the handler gives into a message, where that is no message or init object. */
  convertOutput: ((output: unknown) => Message) | undefined;
  /** For interceptors that agree on which of them answers with a fallback. */
  fallbackOwner: object | undefined;
  fallback: unknown;

  constructor(
    method: DescMethod,
    protocolName: ProtocolName,
    source: CallSource,
    timeoutMs: number | undefined,
    registry: CallRegistry,
  ) {
    this.method = method;
    this.protocolName = protocolName;
    this.source = source;
    this.#clientDeadline = timeoutMs === undefined ? undefined : performance.now() + timeoutMs;
    this.#deadline = this.#clientDeadline;
    this.#registry = registry;
  }

  get service(): DescService {
    return this.method.parent;
  }

  get requestMethod(): string {
    return this.source.requestMethod;
  }

  get url(): string {
    return this.source.url;
  }

  get requestHeader(): RpcHeaders {
    this.#requestHeader ??= new RpcHeaders(this.source.headers);
    return this.#requestHeader;
  }

  get responseHeader(): RpcHeaders {
    this.#responseHeader ??= new RpcHeaders(undefined, this.onResponseHeader);
    return this.#responseHeader;
  }

  get responseTrailer(): RpcHeaders {
    this.#responseTrailer ??= new RpcHeaders();
    return this.#responseTrailer;
  }

  get values(): ContextValues {
    this.#values ??= new CallValues(this);
    return this.#values;
  }

  get timeoutMs(): () => number | undefined {
    const deadline = this.#clientDeadline;
    return () => (deadline === undefined ? undefined : deadline - performance.now());
  }

  /**
   * When the call must end, on the clock of `performance.now()`: the client's deadline, which
   * handlers know by `timeoutMs`, or an earlier one of this server, which they know by the signal.
   */
  get deadline(): number | undefined {
    return this.#deadline;
  }

  /**
   * Makes the deadline earlier, or keeps one that is earlier already. Whoever calls this aborts the
   * call when the deadline passes, so that the signal needs no timer of its own.
   */
  watchDeadline(deadline: number): number {
    this.#isWatched = true;
    if (this.#deadline !== undefined && this.#deadline <= deadline) return this.#deadline;
    this.#deadline = deadline;
    this.isServerDeadline = true;
    return deadline;
  }

  /** Read once, it goes back to the client in the response header. */
  get requestId(): string {
    if (this.#requestId === undefined) {
      this.#requestId = requestIdOf(this.source.headers);
      this.responseHeader.setQuietly(REQUEST_ID_HEADER, this.#requestId);
    }
    return this.#requestId;
  }

  get signal(): AbortSignal {
    if (!this.#abort) this.#openSignal();
    return (this.#abort as AbortController).signal;
  }

  /** The signal if somebody has asked for it. */
  get touchedSignal(): AbortSignal | undefined {
    return this.#abort?.signal;
  }

  /** The response headers if somebody has asked for them. */
  get touchedResponseHeader(): RpcHeaders | undefined {
    return this.#responseHeader;
  }

  /** The response trailers if somebody has asked for them. */
  get touchedResponseTrailer(): RpcHeaders | undefined {
    return this.#responseTrailer;
  }

  /** Why the call was aborted, or `canceled` once it has ended well. */
  get abortReason(): ConnectError | undefined {
    return this.#reason;
  }

  /** Forgets the metadata of an answer that will not be sent, because another is tried. */
  resetResponse(): void {
    this.#responseHeader = undefined;
    this.#responseTrailer = undefined;
    if (this.#requestId !== undefined) {
      this.responseHeader.setQuietly(REQUEST_ID_HEADER, this.#requestId);
    }
  }

  /** The listener hears once if the call is aborted before it has ended, whoever reads its signal. */
  onAbort(listener: (reason: ConnectError) => void): void {
    const earlier = this.#abortListener;
    if (!earlier) {
      this.#abortListener = listener;
      return;
    }
    this.#abortListener = (reason) => {
      earlier(reason);
      listener(reason);
    };
  }

  /** Aborts the signal, if somebody has read it, with a reason of the right code. */
  abort(reason: ConnectError): void {
    clearTimeout(this.#timer);
    this.#reason ??= reason;
    const listener = this.#abortListener;
    this.#abortListener = undefined;
    listener?.(this.#reason);
    this.#abort?.abort(this.#reason);
  }

  /** The call is over: a signal somebody has read fires, everything it held is released. */
  end(error?: ConnectError): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    if (this.observers) this.#reportEnd(this.observers, error);
    this.#abortListener = undefined;
    this.#reason ??= ended;
    if (!this.#abort) return;
    this.#registry.forget(this);
    this.abort(ended);
  }

  /** To a client that has left nothing was told: then the reason counts, the first there was. */
  #reportEnd(observers: readonly CallObserver[], error: ConnectError | undefined): void {
    const { closeReason } = this.source;
    const outcome = closeReason ? (this.#reason ?? closeReason) : error;
    for (const observer of observers) observer.onEnd(outcome);
  }

  /** Tells who follows the call of a request message, with its length where the codec is binary. */
  received(message: Message, bytes: number | undefined): void {
    for (const observer of this.observers ?? []) observer.onReceived(message, bytes);
  }

  /** The same for a response message. */
  sent(message: Message, bytes: number | undefined): void {
    for (const observer of this.observers ?? []) observer.onSent(message, bytes);
  }

  #openSignal(): void {
    this.#abort = new AbortController();
    const remaining = this.#deadline === undefined ? undefined : this.#deadline - performance.now();
    let reason = this.#reason ?? this.source.closeReason;
    if (remaining !== undefined && remaining <= 0) reason ??= deadlineExceeded();
    if (reason) {
      this.#abort.abort(reason);
      return;
    }
    if (remaining !== undefined && !this.#isWatched) {
      this.#timer = setTimeout(
        () => this.abort(deadlineExceeded()),
        Math.min(Math.ceil(remaining), MAX_TIMER_MS),
      );
    }
    this.source.onLeave((reason) => this.abort(reason));
    this.#registry.remember(this);
  }
}

/** Longest delay a Node timer takes. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

/** One for all calls: an error with its stack for every call that ends well would be waste. */
const ended = new ConnectError("the call has ended", Code.Canceled);

export function deadlineExceeded(): ConnectError {
  return new ConnectError("the operation timed out", Code.DeadlineExceeded);
}
