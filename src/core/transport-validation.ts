import { ConnectumError } from "./errors.ts";
import type { ResolvedOptions } from "./resolve-options.ts";
import type { RouteTable } from "./routes.ts";

/** Reports mounted methods that the allowed HTTP versions cannot carry, as `transportValidation` says. */
export function checkTransport({ routes }: RouteTable, options: ResolvedOptions): void {
  const { allowHTTP2, transportValidation, logger } = options;
  if (allowHTTP2 || transportValidation === "off") return;
  const bidi = [...routes.values()]
    .filter(({ method }) => method.methodKind === "bidi_streaming")
    .map(({ path }) => path.slice(1));
  if (bidi.length === 0) return;
  const message =
    `allowHTTP2 is false, and bidi streaming needs HTTP/2: ${bidi.join(", ")} cannot be called; ` +
    'leave allowHTTP2 on, unmount these methods, or set transportValidation: "off"';
  if (transportValidation === "error") throw new ConnectumError("UNSUPPORTED_METHODS", message);
  logger.warn({ methods: bidi }, message);
}
