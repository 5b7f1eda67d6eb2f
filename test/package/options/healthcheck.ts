import type { HealthcheckOptions, HttpHealthOptions } from "connectum/healthcheck";
import type { Proofs, Within } from "./proof.ts";

const healthcheck = "test/healthcheck/healthcheck.test.ts";
const httpHealthHandler = "test/healthcheck/http-health-handler.test.ts";
const probes = "test/healthcheck/probes.test.ts";

type Given<Option> = Exclude<Option, undefined>;
type Probe = Given<HealthcheckOptions["checks"]>[string];
type Paths = Exclude<Given<HealthcheckOptions["httpPaths"]>, readonly string[]>;

export const healthcheckOptions: Proofs<{
  Healthcheck: keyof HealthcheckOptions | Within<"httpPaths", Paths> | Within<"checks.*", Probe>;
  createHttpHealthHandler: keyof HttpHealthOptions;
}> = {
  Healthcheck: {
    manager: [healthcheck, "has a manager of its own, or the given one"],
    httpEnabled: [healthcheck, "the HTTP body names every status, and never says undefined"],
    httpPaths: [httpHealthHandler, "a kind that is given replaces its defaults, the others stay"],
    watchInterval: [
      "test/healthcheck/watch.test.ts",
      "watchInterval runs a timer only while a change waits",
    ],
    automatic: [
      "test/healthcheck/manager.test.ts",
      "is healthy when every service and component is",
    ],
    checks: [
      probes,
      "a component is UNKNOWN until its first success, and so is the server not SERVING",
    ],
    "httpPaths.live": [
      httpHealthHandler,
      "a kind that is given replaces its defaults, the others stay",
    ],
    "httpPaths.ready": [
      httpHealthHandler,
      "a kind that is given replaces its defaults, the others stay",
    ],
    "httpPaths.health": [
      httpHealthHandler,
      "a kind that is given replaces its defaults, the others stay",
    ],
    "checks.*.check": [
      probes,
      "a component is UNKNOWN until its first success, and so is the server not SERVING",
    ],
    "checks.*.intervalMs": [
      probes,
      "runs again intervalMs after the end of a run; fails after failureThreshold",
    ],
    "checks.*.timeoutMs": [probes, "a check that hangs fails after timeoutMs, its signal aborted"],
    "checks.*.failureThreshold": [
      probes,
      "runs again intervalMs after the end of a run; fails after failureThreshold",
    ],
  },
  createHttpHealthHandler: {
    httpPaths: [httpHealthHandler, "serves a manager on a server of node:http and node:http2"],
    isDraining: [httpHealthHandler, "a drain fails readiness, but neither liveness nor health"],
  },
};
