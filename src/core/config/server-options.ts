import type { CreateServerOptions } from "../options.ts";
import type { ConnectumEnv } from "./env-schema.ts";

/**
 * The part of the configuration that `createServer` takes: address, TLS and how to stop. A
 * `GRACEFUL_SHUTDOWN_TIMEOUT_MS` of 0 means at once.
 *
 * @example
 * const server = createServer({ services, ...serverOptionsFromEnv(parseEnvConfig()) });
 */
export function serverOptionsFromEnv(
  config: Pick<
    ConnectumEnv,
    | "PORT"
    | "LISTEN"
    | "TLS_DIR_PATH"
    | "GRACEFUL_SHUTDOWN_ENABLED"
    | "GRACEFUL_SHUTDOWN_TIMEOUT_MS"
  >,
): Pick<CreateServerOptions, "port" | "host" | "tls" | "shutdown"> {
  return {
    port: config.PORT,
    host: config.LISTEN,
    tls: config.TLS_DIR_PATH === undefined ? undefined : { dirPath: config.TLS_DIR_PATH },
    shutdown: {
      autoShutdown: config.GRACEFUL_SHUTDOWN_ENABLED,
      timeout: Math.max(1, config.GRACEFUL_SHUTDOWN_TIMEOUT_MS),
    },
  };
}
