import type { HealthChange } from "./health-changes.ts";
import { LatestValue } from "./latest-value.ts";
import type { HealthcheckManager } from "./manager.ts";
import { ServingStatus } from "./status.ts";

/**
 * What one server shows of a manager: the status as set, and NOT_SERVING from the moment the server
 * begins to stop. Listens to the manager only while somebody watches.
 */
export class ServerHealth {
  readonly #manager: HealthcheckManager;
  readonly #watchers = new Map<string, Set<LatestValue<ServingStatus>>>();
  #isDraining = false;
  #isEnded = false;

  constructor(manager: HealthcheckManager) {
    this.#manager = manager;
  }

  get isDraining(): boolean {
    return this.#isDraining;
  }

  /** SERVICE_UNKNOWN for an unknown name, in a drain too. */
  status(service: string): ServingStatus {
    return this.#shown(this.#manager.getStatus(service));
  }

  /** Every service and component, and the whole server under the empty name. */
  statuses(): Map<string, ServingStatus> {
    const all = this.#manager.getAllStatuses().set("", this.#manager.getStatus());
    for (const [name, status] of all) all.set(name, this.#shown(status));
    return all;
  }

  /** The status now and every change; ends with the drain, fails with the reason of the signal. */
  watch(service: string, intervalMs: number, signal: AbortSignal): LatestValue<ServingStatus> {
    const leave = () => watcher.fail(signal.reason);
    const watcher = new LatestValue<ServingStatus>(intervalMs, () => {
      signal.removeEventListener("abort", leave);
      this.#remove(service, watcher);
    });
    this.#add(service, watcher);
    watcher.push(this.#watched(service));
    signal.addEventListener("abort", leave);
    if (signal.aborted) leave();
    if (this.#isEnded) watcher.end();
    return watcher;
  }

  /** From now on NOT_SERVING is shown, whatever is set. */
  drain(): void {
    this.#isDraining = true;
    for (const watcher of this.#all()) watcher.push(ServingStatus.NOT_SERVING);
  }

  /** Ends every watch, those to come included. */
  end(): void {
    this.drain();
    this.#isEnded = true;
    for (const watcher of this.#all()) watcher.end();
  }

  #shown(status: ServingStatus): ServingStatus {
    return this.#isDraining && status !== ServingStatus.SERVICE_UNKNOWN
      ? ServingStatus.NOT_SERVING
      : status;
  }

  /** A watcher of an unknown name hears of the drain as well. */
  #watched(service: string): ServingStatus {
    return this.#isDraining ? ServingStatus.NOT_SERVING : this.#manager.getStatus(service);
  }

  readonly #onChange = ({ service }: HealthChange): void => {
    for (const watcher of this.#watchers.get(service) ?? []) watcher.push(this.#watched(service));
  };

  #add(service: string, watcher: LatestValue<ServingStatus>): void {
    if (this.#watchers.size === 0) this.#manager.on("change", this.#onChange);
    const watchers = this.#watchers.get(service) ?? new Set();
    this.#watchers.set(service, watchers.add(watcher));
  }

  #remove(service: string, watcher: LatestValue<ServingStatus>): void {
    const watchers = this.#watchers.get(service);
    watchers?.delete(watcher);
    if (watchers?.size === 0) this.#watchers.delete(service);
    if (this.#watchers.size === 0) this.#manager.off("change", this.#onChange);
  }

  #all(): LatestValue<ServingStatus>[] {
    return [...this.#watchers.values()].flatMap((watchers) => [...watchers]);
  }
}
