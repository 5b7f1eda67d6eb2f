import type { ResolvedShutdown } from "./shutdown-options.ts";

/** The signals of the process that stop a server, with `autoShutdown`. */
export class StopSignals {
  readonly #shutdown: ResolvedShutdown;
  readonly #onSignal: () => void;

  constructor(shutdown: ResolvedShutdown, onSignal: () => void) {
    this.#shutdown = shutdown;
    this.#onSignal = onSignal;
  }

  install(): void {
    if (!this.#shutdown.autoShutdown) return;
    for (const signal of this.#shutdown.signals) process.on(signal, this.#onSignal);
  }

  remove(): void {
    for (const signal of this.#shutdown.signals) process.off(signal, this.#onSignal);
  }
}
