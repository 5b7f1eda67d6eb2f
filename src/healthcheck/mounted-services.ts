import { ServingStatus } from "./status.ts";

/** The services one server brings. */
export interface MountedServer {
  /** Asked anew each time: a server's list is complete only when its routes are frozen. */
  readonly names: () => readonly string[];
  /** Whether services that nobody has set count as SERVING. */
  isReady: boolean;
}

/** The services of every server a manager is on, and what was set for them. */
export class MountedServices {
  readonly #running = new Set<MountedServer>();
  readonly #stopped = new Set<MountedServer>();
  /** Set without a name; holds for services mounted later, too. */
  #forAll: ServingStatus | undefined;
  readonly #byName = new Map<string, ServingStatus>();

  add(server: MountedServer): void {
    this.#running.add(server);
    this.#forgetStopped();
  }

  /** The services of the last server stay readable after its stop, until another one is added. */
  remove(server: MountedServer): void {
    if (!this.#running.delete(server)) return;
    this.#stopped.add(server);
    if (this.#running.size > 0) this.#forgetStopped();
  }

  setAll(status: ServingStatus): void {
    this.#forAll = status;
    this.#byName.clear();
  }

  set(name: string, status: ServingStatus): void {
    this.#byName.set(name, status);
  }

  statuses(): Map<string, ServingStatus> {
    const statuses = new Map<string, ServingStatus>();
    for (const server of this.#servers()) {
      for (const name of server.names()) {
        if (statuses.get(name) === ServingStatus.SERVING) continue;
        statuses.set(name, this.#byName.get(name) ?? this.#forAll ?? unset(server));
      }
    }
    return statuses;
  }

  /** What was last set without a name. */
  get setForAll(): ServingStatus | undefined {
    return this.#forAll;
  }

  /** What the servers themselves are while nobody has set anything. */
  get unset(): ServingStatus {
    return unset({ isReady: this.#servers().some(({ isReady }) => isReady) });
  }

  #servers(): MountedServer[] {
    return [...this.#running, ...this.#stopped];
  }

  #forgetStopped(): void {
    this.#stopped.clear();
    const mounted = this.statuses();
    for (const name of this.#byName.keys()) if (!mounted.has(name)) this.#byName.delete(name);
  }
}

function unset({ isReady }: Pick<MountedServer, "isReady">): ServingStatus {
  return isReady ? ServingStatus.SERVING : ServingStatus.UNKNOWN;
}
