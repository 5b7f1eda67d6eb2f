export {
  type ConnectumEnv,
  ConnectumEnvSchema,
  type Environment,
  parseEnvConfig,
  safeParseEnvConfig,
} from "./env-schema.ts";
export { serverOptionsFromEnv } from "./server-options.ts";
