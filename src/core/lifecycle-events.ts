import { EventEmitter } from "node:events";
import { LifecycleEvent, type LifecycleListener } from "./lifecycle.ts";
import type { Logger } from "./logger.ts";

/**
 * Emits lifecycle events so that no listener can break start or stop: what a listener throws is
 * reported as `error`, and an `error` nobody listens to goes to the logger.
 */
export class LifecycleEvents {
  readonly #emitter = new EventEmitter();
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
    this.#emitter.setMaxListeners(0);
  }

  on(event: LifecycleEvent, listener: LifecycleListener): void {
    this.#emitter.on(event, listener);
  }

  once(event: LifecycleEvent, listener: LifecycleListener): void {
    this.#emitter.once(event, listener);
  }

  off(event: LifecycleEvent, listener: LifecycleListener): void {
    this.#emitter.off(event, listener);
  }

  emit(event: Exclude<LifecycleEvent, "error">): void {
    for (const listener of this.#emitter.rawListeners(event)) {
      try {
        Promise.resolve(listener()).catch((error) => this.report(error, `${event} listener`));
      } catch (error) {
        this.report(error, `${event} listener`);
      }
    }
  }

  /** Emits `error`; logs it instead when nobody listens. */
  report(error: unknown, where: string): void {
    const listeners = this.#emitter.rawListeners(LifecycleEvent.ERROR);
    if (listeners.length === 0) this.#logger.error({ err: error }, `${where} failed`);
    for (const listener of listeners) {
      try {
        listener(error);
      } catch (thrown) {
        this.#logger.error({ err: thrown }, "error listener failed");
      }
    }
  }
}
