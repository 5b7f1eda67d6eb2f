import { Code, ConnectError, type ContextValues } from "@connectrpc/connect";
import type { Peer } from "../context-keys.ts";
import { deadlineExceeded, MAX_TIMER_MS } from "../rpc/call.ts";
import { type CallSource, clientLeft } from "../rpc/call-source.ts";
import { type HeaderFields, RpcHeaders } from "../rpc/rpc-headers.ts";

const inProcess: Peer = { address: "in-process" };
const noHeaders: HeaderFields = Object.freeze(Object.create(null));

/** The caller's side of an in-process call: it may leave by its signal, its deadline, or a forced stop. */
export class LocalCall implements CallSource, EventListenerObject {
  readonly requestMethod = "POST";
  readonly transport = "in-process";
  readonly peer = inProcess;
  readonly headers: HeaderFields;
  readonly callerValues: ContextValues | undefined;
  readonly #path: string;
  readonly #signal: AbortSignal | undefined;
  #listeners: Array<(reason: ConnectError) => void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #deadline = Number.POSITIVE_INFINITY;
  #isSettled = false;
  closeReason: ConnectError | undefined;
  /** What the caller gets once it has left; its own reason to leave stays on its side. */
  callerError: ConnectError | undefined;

  constructor(
    path: string,
    header: HeadersInit | undefined,
    signal: AbortSignal | undefined,
    timeoutMs: number | undefined,
    callerValues: ContextValues | undefined,
  ) {
    this.#path = path;
    this.callerValues = callerValues;
    this.headers = noHeaders;
    this.#signal = signal;
    if (header !== undefined) {
      this.headers = Object.create(null) as HeaderFields;
      RpcHeaders.from(header).addTo(this.headers);
    }
    if (signal?.aborted) this.handleEvent();
    else signal?.addEventListener("abort", this);
    if (timeoutMs === undefined || this.closeReason) return;
    this.#deadline = performance.now() + timeoutMs;
    this.#timer = setTimeout(
      () => this.leave(deadlineExceeded()),
      Math.min(timeoutMs, MAX_TIMER_MS),
    );
  }

  get url(): string {
    return `https://in-process${this.#path}`;
  }

  onLeave(listener: (reason: ConnectError) => void): void {
    if (this.closeReason) listener(this.closeReason);
    else if (this.#listeners) this.#listeners.push(listener);
    else this.#listeners = [listener];
  }

  leave(reason: ConnectError, callerError = reason): void {
    if (this.#isSettled || this.closeReason) return;
    this.closeReason = reason;
    this.callerError = callerError;
    this.#release();
    for (const listener of this.#listeners ?? []) listener(reason);
  }

  /** The caller has its answer; nothing of the call stays behind. */
  settle(): void {
    this.#isSettled = true;
    this.#release();
  }

  /** The caller's signal fired. */
  handleEvent(): void {
    const callerError = ConnectError.from(this.#signal?.reason, Code.Canceled);
    const reason = this.#isDeadline(callerError) ? deadlineExceeded() : clientLeft();
    this.leave(reason, callerError);
  }

  /**
   * A timer of the caller's for the same deadline may fire before ours: timers count from the beginning
   * of a turn, however long it has been.
   */
  #isDeadline({ code }: ConnectError): boolean {
    if (this.#deadline === Number.POSITIVE_INFINITY) return false;
    return code === Code.DeadlineExceeded || performance.now() >= this.#deadline;
  }

  #release(): void {
    clearTimeout(this.#timer);
    this.#signal?.removeEventListener("abort", this);
  }
}
