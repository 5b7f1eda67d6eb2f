import type { ConnectError } from "@connectrpc/connect";
import type { Call } from "./call.ts";

/**
 * Calls whose signal somebody reads, so that a late shutdown reaches them. Calls nobody would hear are
 * not kept.
 */
export class CallRegistry {
  readonly #calls = new Set<Call>();
  #reason: ConnectError | undefined;

  remember(call: Call): void {
    if (this.#reason) call.abort(this.#reason);
    else this.#calls.add(call);
  }

  forget(call: Call): void {
    this.#calls.delete(call);
  }

  /** Aborts every call, those included that read their signal later. */
  abortAll(reason: ConnectError): void {
    this.#reason = reason;
    for (const call of this.#calls) call.abort(reason);
    this.#calls.clear();
  }
}
