import type { Server } from "../core/index.ts";
import { checkKeys } from "../core/internal.ts";
import { shutdownProvider } from "./provider/init-provider.ts";

export interface OtelShutdownHookOptions {
  /** Names of shutdown hooks that still produce telemetry and run before. Default none. */
  readonly after?: readonly string[];
}

/** Sends what is waiting when the server has stopped. The hook is called `otel`. */
export function otelShutdownHook(
  server: Pick<Server, "onShutdown">,
  options: OtelShutdownHookOptions = {},
): void {
  checkKeys("otelShutdownHook()", options, ["after"]);
  const { after = [] } = options;
  server.onShutdown("otel", after, shutdownProvider);
}
