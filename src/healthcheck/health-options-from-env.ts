import type { HealthcheckOptions } from "./healthcheck.ts";

/**
 * The part of a parsed configuration that `Healthcheck()` takes. `HTTP_HEALTH_PATH` replaces the
 * `health` paths; `/livez` and `/readyz` stay.
 *
 * @example
 * protocols: [Healthcheck(healthOptionsFromEnv(parseEnvConfig()))]
 */
export function healthOptionsFromEnv(config: {
  readonly HTTP_HEALTH_ENABLED: boolean;
  readonly HTTP_HEALTH_PATH: string;
}): Pick<HealthcheckOptions, "httpEnabled" | "httpPaths"> {
  return {
    httpEnabled: config.HTTP_HEALTH_ENABLED,
    httpPaths: { health: [config.HTTP_HEALTH_PATH] },
  };
}
