export { Health } from "./gen/grpc/health/v1/health_pb.js";
export type { HealthChange, HealthChangeListener } from "./health-changes.ts";
export { healthOptionsFromEnv } from "./health-options-from-env.ts";
export {
  Healthcheck,
  type HealthcheckOptions,
  type HealthcheckRegistration,
} from "./healthcheck.ts";
export {
  createHttpHealthHandler,
  type HttpHealthOptions,
  parseServiceFromUrl,
} from "./http-health-handler.ts";
export type { HttpHealthPaths } from "./http-paths.ts";
export { type HealthcheckForwarder, healthcheckManager } from "./live-managers.ts";
export { createHealthcheckManager, HealthcheckManager } from "./manager.ts";
export type { HealthProbe } from "./probes.ts";
export { ServingStatus } from "./status.ts";
