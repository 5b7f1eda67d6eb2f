import { ConnectumError } from "../core/index.ts";
import { checkKeys, show } from "../core/internal.ts";

/** Paths by what they tell. They match exactly; the query does not count. */
export interface HttpHealthPaths {
  /** 200 while the process can answer. Default `["/livez"]`. */
  readonly live?: readonly string[];
  /** The status, and NOT_SERVING while the server drains. Default `["/readyz"]`. */
  readonly ready?: readonly string[];
  /**
   * The status as set, drain or not, so that a liveness probe on it does not kill a pod that drains.
   * Default `["/healthz", "/health"]`.
   */
  readonly health?: readonly string[];
}

export type HttpHealthKind = keyof HttpHealthPaths;

const kinds = ["live", "ready", "health"] as const;

const defaultPaths: Required<HttpHealthPaths> = {
  live: ["/livez"],
  ready: ["/readyz"],
  health: ["/healthz", "/health"],
};

/**
 * What each path tells. An array makes all its paths `health` ones and leaves no other; a kind that
 * is left out keeps its defaults, except for paths that were given to another kind.
 */
export function resolveHttpPaths(
  httpPaths: HttpHealthPaths | readonly string[] = {},
): ReadonlyMap<string, HttpHealthKind> {
  const given: HttpHealthPaths = isArray(httpPaths)
    ? { live: [], ready: [], health: httpPaths }
    : httpPaths;
  checkKeys("httpPaths", given, kinds);
  const resolved = new Map<string, HttpHealthKind>();
  for (const kind of kinds) {
    for (const path of given[kind] ?? []) {
      checkPath(kind, path, resolved.get(path));
      resolved.set(path, kind);
    }
  }
  for (const kind of kinds) {
    const paths = given[kind] ? [] : defaultPaths[kind];
    for (const path of paths) if (!resolved.has(path)) resolved.set(path, kind);
  }
  return resolved;
}

function checkPath(kind: HttpHealthKind, path: string, taken: HttpHealthKind | undefined): void {
  if (typeof path !== "string" || !/^\/[^?#\s]*$/.test(path)) {
    throw new ConnectumError(
      "INVALID_OPTION",
      `httpPaths.${kind} must hold paths that start with "/" and have no query, got ${show(path)}`,
    );
  }
  if (taken !== undefined && taken !== kind) {
    throw new ConnectumError(
      "INVALID_OPTION",
      `httpPaths has ${show(path)} as "${taken}" and as "${kind}"; keep one of them`,
    );
  }
}

function isArray(paths: HttpHealthPaths | readonly string[]): paths is readonly string[] {
  return Array.isArray(paths);
}
