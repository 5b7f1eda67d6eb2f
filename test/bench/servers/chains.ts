import type { Interceptor } from "@connectrpc/connect";
import { createDefaultInterceptors, type DefaultInterceptorOptions } from "connectum/interceptors";

const silent = { debug() {}, info() {}, warn() {}, error() {} };
const off = {
  errorHandler: false,
  timeout: false,
  bulkhead: false,
  circuitBreaker: false,
  retry: false,
  validation: false,
} as const;

/** One interceptor each, with what it needs to do its work. */
const single = {
  errorHandler: { errorHandler: true },
  logger: { logger: { logger: silent } },
  timeout: { timeout: true },
  bulkhead: { bulkhead: true },
  circuitBreaker: { circuitBreaker: true },
  retry: { retry: { idempotent: "all" } },
  fallback: { fallback: { handler: () => undefined } },
  validation: { validation: true },
  serializer: { serializer: true },
  redact: { redact: true },
} as const satisfies Record<string, DefaultInterceptorOptions>;

export const singleNames = Object.keys(single);

/** `none`, `chain` for the default one, `pass` for one that does nothing, or the name of one. */
export function chainOf(name = "none"): Interceptor[] {
  if (name === "none") return [];
  if (name === "chain") return createDefaultInterceptors();
  if (name === "pass") return [(next) => (request) => next(request)];
  return createDefaultInterceptors({ ...off, ...single[name as keyof typeof single] });
}
