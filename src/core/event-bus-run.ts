import { ConnectumError } from "./errors.ts";
import type { EventBusLike } from "./options.ts";

/** The event bus of a server, if it has one: stopped only if it was started. */
export class EventBusRun {
  readonly #eventBus: EventBusLike | undefined;
  #isStarted = false;

  constructor(eventBus: EventBusLike | undefined) {
    this.#eventBus = eventBus;
  }

  async start(signal: AbortSignal): Promise<void> {
    if (!this.#eventBus) return;
    await this.#eventBus.start({ signal });
    this.#isStarted = true;
  }

  /** Resolves to what failed, at the latest when `expired` does. */
  async stop(expired: Promise<void>): Promise<unknown[]> {
    if (!this.#isStarted) return [];
    this.#isStarted = false;
    const timeout = expired.then(() => {
      throw new ConnectumError("HOOK_TIMEOUT", "the event bus did not stop within hookTimeoutMs");
    });
    try {
      await Promise.race([this.#eventBus?.stop(), timeout]);
      return [];
    } catch (error) {
      return [error ?? new Error("event bus failed to stop")];
    }
  }
}
