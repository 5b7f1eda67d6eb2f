import { ServingStatus } from "./status.ts";

/** A status that is not what it was. */
export interface HealthChange {
  /** A service, a component, or empty for the whole server. */
  readonly service: string;
  /** SERVICE_UNKNOWN when the name went away. */
  readonly status: ServingStatus;
  /** SERVICE_UNKNOWN when the name is new. */
  readonly previous: ServingStatus;
}

export type HealthChangeListener = (change: HealthChange) => void;

/** Tells listeners what differs between one announced set of statuses and the next. */
export class HealthChanges {
  readonly #listeners = new Set<HealthChangeListener>();
  readonly #queue: HealthChange[] = [];
  #announced: ReadonlyMap<string, ServingStatus> = new Map();
  #isEmitting = false;

  on(listener: HealthChangeListener): void {
    this.#listeners.add(listener);
  }

  off(listener: HealthChangeListener): void {
    this.#listeners.delete(listener);
  }

  /** Every listener hears every change; then the first error one of them threw is thrown. */
  announce(now: ReadonlyMap<string, ServingStatus>): void {
    const before = this.#announced;
    this.#announced = now;
    for (const service of new Set([...now.keys(), ...before.keys()])) {
      const status = now.get(service) ?? ServingStatus.SERVICE_UNKNOWN;
      const previous = before.get(service) ?? ServingStatus.SERVICE_UNKNOWN;
      if (status !== previous) this.#queue.push({ service, status, previous });
    }
    // A listener that makes a change itself only queues it, so that all hear changes in order.
    if (!this.#isEmitting) this.#emit();
  }

  #emit(): void {
    const errors: unknown[] = [];
    this.#isEmitting = true;
    for (let change = this.#queue.shift(); change; change = this.#queue.shift()) {
      for (const listener of [...this.#listeners]) {
        try {
          listener(change);
        } catch (error) {
          errors.push(error);
        }
      }
    }
    this.#isEmitting = false;
    if (errors.length > 0) throw errors[0];
  }
}
