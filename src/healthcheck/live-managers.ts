import { ConnectumError } from "../core/index.ts";
import { type HealthcheckManager, unknownName } from "./manager.ts";
import { ServingStatus } from "./status.ts";

/** What of a {@link HealthcheckManager} makes sense for several at once. */
export type HealthcheckForwarder = Omit<HealthcheckManager, "on" | "off">;

const live = new Set<WeakRef<HealthcheckManager>>();

/** Makes a manager reachable through {@link healthcheckManager}, without keeping it alive. */
export function addLiveManager(manager: HealthcheckManager): void {
  removeLiveManager(manager);
  live.add(new WeakRef(manager));
}

export function removeLiveManager(manager: HealthcheckManager): void {
  for (const reference of live) {
    const target = reference.deref();
    if (target === undefined || target === manager) live.delete(reference);
  }
}

/**
 * Forwards to the manager of every `Healthcheck()` in this process that made its own and whose
 * server has not stopped. With several of them a named call goes to those that know the name, and
 * throws UNKNOWN_SERVICE when none does; a read gives the worst status. With none at all every call
 * throws NO_HEALTHCHECK. A manager of your own, and `on("change")`, are used directly.
 */
export const healthcheckManager: HealthcheckForwarder = {
  update(status, service = "") {
    const managers = service === "" ? liveManagers() : knowingService(service);
    forEach(managers, (manager) => manager.update(status, service));
  },
  register(component, status) {
    forEach(liveManagers(), (manager) => manager.register(component, status));
  },
  set(component, status) {
    forEach(knowingComponent(component), (manager) => manager.set(component, status));
  },
  unregister(component) {
    forEach(knowingComponent(component), (manager) => manager.unregister(component));
  },
  getStatus(service) {
    return liveManagers()
      .map((manager) => manager.getStatus(service))
      .reduce(worse);
  },
  getAllStatuses() {
    return mergeWorst(liveManagers().map((manager) => manager.getAllStatuses()));
  },
  getComponentStatuses() {
    return mergeWorst(liveManagers().map((manager) => manager.getComponentStatuses()));
  },
  areAllHealthy() {
    return liveManagers().every((manager) => manager.areAllHealthy());
  },
};

function liveManagers(): HealthcheckManager[] {
  const managers = [...live].flatMap((reference) => reference.deref() ?? []);
  if (managers.length > 0) return managers;
  throw new ConnectumError(
    "NO_HEALTHCHECK",
    "healthcheckManager reaches no server: none that runs has Healthcheck() among its protocols, " +
      "or it was given a manager of its own; add Healthcheck(), or use that manager",
  );
}

function knowingService(name: string): HealthcheckManager[] {
  return knowing("service", name, (manager) => {
    const components = manager.getComponentStatuses();
    return [...manager.getAllStatuses().keys()].filter((known) => !components.has(known));
  });
}

function knowingComponent(name: string): HealthcheckManager[] {
  return knowing("component", name, (manager) => [...manager.getComponentStatuses().keys()]);
}

function knowing(
  kind: "service" | "component",
  name: string,
  names: (manager: HealthcheckManager) => string[],
): HealthcheckManager[] {
  const all = liveManagers();
  const managers = all.filter((manager) => names(manager).includes(name));
  if (managers.length === 0) throw unknownName(kind, name, new Set(all.flatMap(names)));
  return managers;
}

/** One manager that throws must not keep another server from hearing. */
function forEach(
  managers: readonly HealthcheckManager[],
  action: (manager: HealthcheckManager) => void,
): void {
  const errors: unknown[] = [];
  for (const manager of managers) {
    try {
      action(manager);
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw errors[0];
}

/** From good to bad; a name one manager does not know is no reason to doubt another. */
const severity = [
  ServingStatus.SERVICE_UNKNOWN,
  ServingStatus.SERVING,
  ServingStatus.UNKNOWN,
  ServingStatus.NOT_SERVING,
];

function worse(a: ServingStatus, b: ServingStatus): ServingStatus {
  return severity.indexOf(a) > severity.indexOf(b) ? a : b;
}

function mergeWorst(all: readonly Map<string, ServingStatus>[]): Map<string, ServingStatus> {
  const merged = new Map<string, ServingStatus>();
  for (const [name, status] of all.flatMap((statuses) => [...statuses])) {
    merged.set(name, worse(status, merged.get(name) ?? status));
  }
  return merged;
}
