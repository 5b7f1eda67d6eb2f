import { ConnectumError } from "../core/index.ts";
import { show } from "../core/internal.ts";
import { type HealthChangeListener, HealthChanges } from "./health-changes.ts";
import { type MountedServer, MountedServices } from "./mounted-services.ts";
import { ServingStatus } from "./status.ts";

/** A server on a manager. */
export interface Attachment {
  /** From now on services that nobody has set count as SERVING. */
  ready(): void;
  detach(): void;
}

let attach: (manager: HealthcheckManager, names: () => readonly string[]) => Attachment;

/** Makes the services of a server known to a manager. */
export function attachServer(
  manager: HealthcheckManager,
  names: () => readonly string[],
): Attachment {
  return attach(manager, names);
}

/**
 * Holds the status of services, known from the servers the manager is on, and of components,
 * registered by name for what services depend on. Keeps what was set, whether a server drains or
 * not: each server decides what it shows meanwhile.
 */
export class HealthcheckManager {
  readonly #services = new MountedServices();
  readonly #components = new Map<string, ServingStatus>();
  readonly #changes = new HealthChanges();

  static {
    attach = (manager, names) => manager.#attach(names);
  }

  /**
   * Sets one service; without a name all services, those mounted later included. Components keep
   * their own status. Throws UNKNOWN_SERVICE for a name that is not mounted; services are known once
   * the routes of their server are frozen, at the latest when it starts.
   */
  update(status: ServingStatus, service = ""): void {
    checkStatus(status);
    if (service === "") {
      this.#services.setAll(status);
    } else {
      const names = this.#services.statuses();
      if (!names.has(service)) throw unknownName("service", service, names.keys());
      this.#services.set(service, status);
    }
    this.#announce();
  }

  /** Adds a component, such as a database. The name has no dots; the status is UNKNOWN by default. */
  register(component: string, status: ServingStatus = ServingStatus.UNKNOWN): void {
    checkStatus(status);
    checkComponentName(component);
    if (this.getStatus(component) !== ServingStatus.SERVICE_UNKNOWN) {
      throw new ConnectumError(
        "INVALID_OPTION",
        `component name ${show(component)} is taken; choose another one`,
      );
    }
    this.#components.set(component, status);
    this.#announce();
  }

  /** Sets a component. Throws UNKNOWN_SERVICE for a name that is not registered. */
  set(component: string, status: ServingStatus): void {
    checkStatus(status);
    this.#checkComponent(component);
    this.#components.set(component, status);
    this.#announce();
  }

  /** Removes a component. Throws UNKNOWN_SERVICE for a name that is not registered. */
  unregister(component: string): void {
    this.#checkComponent(component);
    this.#components.delete(component);
    this.#announce();
  }

  /**
   * The status of a service or a component, SERVICE_UNKNOWN for any other name. Without a name:
   * SERVING if all services and components are, else NOT_SERVING. A server without services counts
   * as one, set by `update()` without a name or else, unless there are components, by being ready.
   */
  getStatus(service = ""): ServingStatus {
    if (service !== "") {
      return this.getAllStatuses().get(service) ?? ServingStatus.SERVICE_UNKNOWN;
    }
    const services = [...this.#services.statuses().values()];
    if (services.length === 0) services.push(...this.#withoutServices());
    const statuses = [...services, ...this.#components.values()];
    return areServing(statuses) ? ServingStatus.SERVING : ServingStatus.NOT_SERVING;
  }

  /** Every service and component with its status. */
  getAllStatuses(): Map<string, ServingStatus> {
    return new Map([...this.#services.statuses(), ...this.#components]);
  }

  /** Every component with its status. */
  getComponentStatuses(): Map<string, ServingStatus> {
    return new Map(this.#components);
  }

  /** Whether all services and components are SERVING; false when there is none. */
  areAllHealthy(): boolean {
    const statuses = [...this.getAllStatuses().values()];
    return statuses.length > 0 && areServing(statuses);
  }

  /**
   * Calls the listener with every change, in order. One that throws does not keep the others from
   * hearing; its error reaches whoever made the change.
   */
  on(_event: "change", listener: HealthChangeListener): this {
    this.#changes.on(listener);
    return this;
  }

  off(_event: "change", listener: HealthChangeListener): this {
    this.#changes.off(listener);
    return this;
  }

  #withoutServices(): ServingStatus[] {
    const { setForAll, unset } = this.#services;
    if (setForAll !== undefined) return [setForAll];
    return this.#components.size > 0 ? [] : [unset];
  }

  #attach(names: () => readonly string[]): Attachment {
    const server: MountedServer = { names, isReady: false };
    this.#services.add(server);
    this.#announce();
    return {
      ready: () => {
        server.isReady = true;
        this.#announce();
      },
      detach: () => {
        this.#services.remove(server);
        this.#announce();
      },
    };
  }

  #announce(): void {
    this.#changes.announce(this.getAllStatuses().set("", this.getStatus()));
  }

  #checkComponent(name: string): void {
    if (!this.#components.has(name)) throw unknownName("component", name, this.#components.keys());
  }
}

/** A manager to share between servers, or to hold before there is one: `Healthcheck({ manager })`. */
export function createHealthcheckManager(): HealthcheckManager {
  return new HealthcheckManager();
}

/** The developer's error for a name that is not among the known ones. */
export function unknownName(
  kind: "service" | "component",
  name: string,
  known: Iterable<string>,
): ConnectumError {
  const names = [...known].sort();
  const hint = names.length > 0 ? `known: ${names.join(", ")}` : `no ${kind} is known yet`;
  return new ConnectumError("UNKNOWN_SERVICE", `unknown ${kind} ${show(name)}; ${hint}`);
}

/** Throws unless a component may have this name; one with a dot would look like a service. */
export function checkComponentName(name: string): void {
  if (typeof name === "string" && name !== "" && !name.includes(".")) return;
  throw new ConnectumError(
    "INVALID_OPTION",
    `a component name must not be empty nor contain a dot, got ${show(name)}`,
  );
}

function checkStatus(status: ServingStatus): void {
  if (status === ServingStatus.SERVICE_UNKNOWN || !Object.values(ServingStatus).includes(status)) {
    throw new ConnectumError(
      "INVALID_OPTION",
      `status must be UNKNOWN, SERVING or NOT_SERVING of ServingStatus, got ${show(status)}`,
    );
  }
}

function areServing(statuses: readonly ServingStatus[]): boolean {
  return statuses.every((status) => status === ServingStatus.SERVING);
}
