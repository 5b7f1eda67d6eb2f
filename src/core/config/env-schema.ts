import { z } from "zod";
import { ConnectumError } from "../errors.ts";
import { boolean, host, httpUrl, integer, oneOf, optionalText, urlPath } from "./variables.ts";

/**
 * The environment variables of a service. Unset and empty variables take their default; booleans are
 * true, false, 1, 0, yes or no. Add your own with `.extend`.
 *
 * @example
 * const Schema = ConnectumEnvSchema.extend({ DATABASE_URL: z.url() });
 * const config = Schema.parse(process.env);
 */
export const ConnectumEnvSchema = z.object({
  /** 0 is any free port. Default 5000. */
  PORT: integer("PORT", 0, 65_535, 5000),
  /** Address to listen on. Default 0.0.0.0. */
  LISTEN: host("LISTEN", "0.0.0.0"),
  /** Default development. */
  NODE_ENV: oneOf("NODE_ENV", ["development", "production", "test"], "development"),
  /** Default info. */
  LOG_LEVEL: oneOf("LOG_LEVEL", ["debug", "info", "warn", "error"], "info"),
  /** Default json. */
  LOG_FORMAT: oneOf("LOG_FORMAT", ["json", "pretty"], "json"),
  /** Default otel. */
  LOG_BACKEND: oneOf("LOG_BACKEND", ["otel", "pino", "console"], "otel"),
  /** Default false. */
  HTTP_HEALTH_ENABLED: boolean("HTTP_HEALTH_ENABLED", false),
  /** Default /healthz. */
  HTTP_HEALTH_PATH: urlPath("HTTP_HEALTH_PATH", "/healthz"),
  OTEL_SERVICE_NAME: optionalText("OTEL_SERVICE_NAME"),
  OTEL_EXPORTER_OTLP_ENDPOINT: httpUrl("OTEL_EXPORTER_OTLP_ENDPOINT"),
  /** Whether SIGTERM and SIGINT stop the server. Default true. */
  GRACEFUL_SHUTDOWN_ENABLED: boolean("GRACEFUL_SHUTDOWN_ENABLED", true),
  /** From `stopping` to the forced close. Default 30000. */
  GRACEFUL_SHUTDOWN_TIMEOUT_MS: integer("GRACEFUL_SHUTDOWN_TIMEOUT_MS", 0, 300_000, 30_000),
  /** Directory with server.key, server.crt and an optional ca.crt. Unset: plaintext. */
  TLS_DIR_PATH: optionalText("TLS_DIR_PATH"),
});

export type ConnectumEnv = z.output<typeof ConnectumEnvSchema>;

/** An environment as Node gives it. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads the variables of {@link ConnectumEnvSchema}. Throws `ConnectumError("INVALID_OPTION")` with a
 * line for every bad one that names the variable, the rule and the value; zod's error is its cause.
 */
export function parseEnvConfig(env: Environment = process.env): ConnectumEnv {
  const result = ConnectumEnvSchema.safeParse(env);
  if (result.success) return result.data;
  const complaints = result.error.issues.map(({ message }) => message);
  throw new ConnectumError("INVALID_OPTION", complaints.join("\n"), { cause: result.error });
}

/** Like {@link parseEnvConfig}; returns zod's result instead of throwing. */
export function safeParseEnvConfig(
  env: Environment = process.env,
): z.ZodSafeParseResult<ConnectumEnv> {
  return ConnectumEnvSchema.safeParse(env);
}
