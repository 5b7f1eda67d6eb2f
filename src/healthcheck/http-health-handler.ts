import type { HttpHandler, NodeResponse } from "../core/index.ts";
import { checkKeys } from "../core/internal.ts";
import { type HttpHealthKind, type HttpHealthPaths, resolveHttpPaths } from "./http-paths.ts";
import type { HealthcheckManager } from "./manager.ts";
import { ServingStatus, statusName } from "./status.ts";

export interface HttpHealthOptions {
  /** An array makes all its paths `health` ones and leaves no other. */
  readonly httpPaths?: HttpHealthPaths | readonly string[];
  /** Whether the server drains. Default: never. */
  readonly isDraining?: () => boolean;
}

/**
 * Answers GET and HEAD on the health paths with the status as JSON: 200 for SERVING, 404 for a
 * `?service=` nobody knows, else 503. Works for `node:http` and the compatibility API of
 * `node:http2`.
 */
export function createHttpHealthHandler(
  manager: HealthcheckManager,
  options: HttpHealthOptions = {},
): HttpHandler {
  checkKeys("createHttpHealthHandler", options, ["httpPaths", "isDraining"]);
  const { httpPaths, isDraining = () => false } = options;
  const kinds = resolveHttpPaths(httpPaths);
  return (request, response) => {
    const kind = kinds.get(pathOf(request.url));
    if (!kind) return false;
    response.setHeader("cache-control", "no-store");
    if (request.method !== "GET" && request.method !== "HEAD") {
      response.setHeader("allow", "GET, HEAD");
      send(response, 405, "");
      return true;
    }
    const service = parseServiceFromUrl(request.url);
    const status = statusOf(kind, manager.getStatus(service), isDraining);
    const body = {
      status: statusName(status),
      service,
      timestamp: new Date().toISOString(),
      components: componentsOf(manager),
    };
    response.setHeader("content-type", "application/json");
    send(response, httpStatus(status), JSON.stringify(body));
    return true;
  };
}

/** The value of `?service=` in a request URL; empty, the whole server, when there is none. */
export function parseServiceFromUrl(url: string | undefined): string {
  const query = url?.split("#", 1)[0]?.split("?").slice(1).join("?");
  return new URLSearchParams(query).get("service") ?? "";
}

/** The path of an origin-form or absolute-form request target, not normalised. */
function pathOf(url = ""): string {
  return url.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, "").replace(/[?#].*$/s, "");
}

function statusOf(
  kind: HttpHealthKind,
  set: ServingStatus,
  isDraining: () => boolean,
): ServingStatus {
  if (kind === "live") return ServingStatus.SERVING;
  if (kind === "health" || set === ServingStatus.SERVICE_UNKNOWN) return set;
  return isDraining() ? ServingStatus.NOT_SERVING : set;
}

function httpStatus(status: ServingStatus): number {
  if (status === ServingStatus.SERVING) return 200;
  return status === ServingStatus.SERVICE_UNKNOWN ? 404 : 503;
}

function componentsOf(manager: HealthcheckManager): Record<string, string> {
  const entries = [...manager.getComponentStatuses()];
  return Object.fromEntries(entries.map(([name, status]) => [name, statusName(status)]));
}

/** Node leaves the body out of an answer to HEAD by itself. */
function send(response: NodeResponse, status: number, body: string): void {
  response.statusCode = status;
  response.setHeader("content-length", Buffer.byteLength(body));
  // Two classes, one call: their overloads have no common signature for the compiler.
  if ("stream" in response) response.end(body);
  else response.end(body);
}
