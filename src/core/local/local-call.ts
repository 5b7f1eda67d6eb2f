import { ConnectError, type ContextValues } from "@connectrpc/connect";
import type { Peer } from "../context-keys.ts";
import { type CallSource, deadlineExceeded, MAX_TIMER_MS } from "../rpc/call.ts";
import { type HeaderFields, RpcHeaders } from "../rpc/rpc-headers.ts";

const inProcess: Peer = { address: "in-process" };
const noHeaders: HeaderFields = Object.freeze(Object.create(null));

/** The caller's side of an in-process call: it may leave by its signal, its deadline, or a forced stop. */
export class LocalCall implements CallSource {
  readonly requestMethod = "POST";
  readonly transport = "in-process";
  readonly peer = inProcess;
  readonly headers: HeaderFields;
  readonly callerValues: ContextValues | undefined;
  readonly #path: string;
  readonly #signal: AbortSignal | undefined;
  #listeners: Array<(reason: ConnectError) => void> = [];
  #timer: NodeJS.Timeout | undefined;
  #isSettled = false;
  closeReason: ConnectError | undefined;

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
    if (signal?.aborted) this.#onAbort();
    else signal?.addEventListener("abort", this.#onAbort);
    if (timeoutMs === undefined || this.closeReason) return;
    this.#timer = setTimeout(
      () => this.leave(deadlineExceeded()),
      Math.min(timeoutMs, MAX_TIMER_MS),
    );
  }

  get url(): string {
    return `https://in-process${this.#path}`;
  }

  /** Whether the caller can leave at all; a forced stop reaches it in any case. */
  get canLeave(): boolean {
    return this.#signal !== undefined || this.#timer !== undefined;
  }

  onLeave(listener: (reason: ConnectError) => void): void {
    if (this.closeReason) listener(this.closeReason);
    else this.#listeners.push(listener);
  }

  leave(reason: ConnectError): void {
    if (this.#isSettled || this.closeReason) return;
    this.closeReason = reason;
    this.#release();
    for (const listener of this.#listeners) listener(reason);
  }

  /** The caller has its answer; nothing of the call stays behind. */
  settle(): void {
    this.#isSettled = true;
    this.#release();
  }

  readonly #onAbort = (): void => this.leave(ConnectError.from(this.#signal?.reason));

  #release(): void {
    clearTimeout(this.#timer);
    this.#signal?.removeEventListener("abort", this.#onAbort);
  }
}
