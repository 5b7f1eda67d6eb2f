import { show } from "./check-options.ts";
import { ConnectumError } from "./errors.ts";

/** Throws INVALID_OPTION unless `value` is a route function or a service definition. */
export function checkService(name: string, value: unknown): void {
  if (typeof value === "function" || has(value, "register")) return;
  const hint = has(value, "typeName") ? "; bind a descriptor to its implementation first" : "";
  fail(name, "a route function or a result of defineService()", value, hint);
}

/** Throws INVALID_OPTION unless `value` is a function. */
export function checkInterceptor(name: string, value: unknown): void {
  if (typeof value === "function") return;
  const hint = Array.isArray(value) ? '; spread it with "..."' : "";
  fail(name, "an interceptor", value, hint);
}

/** Throws INVALID_OPTION unless `value` has a name and registers something. */
export function checkProtocol(name: string, value: unknown): void {
  if (has(value, "register") && typeof (value as { name?: unknown }).name === "string") return;
  const hint = typeof value === "function" ? "; call it, as in Healthcheck()" : "";
  fail(name, "an object with name and register()", value, hint);
}

/** Throws INVALID_OPTION unless `value` can be started and stopped. */
export function checkEventBus(value: unknown): void {
  if (has(value, "start") && has(value, "stop")) return;
  fail("eventBus", "an object with start() and stop()", value);
}

function has(value: unknown, member: string): boolean {
  if (typeof value !== "object" || value === null) return false;
  const found = (value as Record<string, unknown>)[member];
  return typeof found === "function" || (member === "typeName" && typeof found === "string");
}

function fail(name: string, rule: string, value: unknown, hint = ""): never {
  throw new ConnectumError("INVALID_OPTION", `${name} must be ${rule}, got ${show(value)}${hint}`);
}
