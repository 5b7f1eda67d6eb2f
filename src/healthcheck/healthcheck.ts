import { ConnectumError, type ProtocolContext, type ProtocolRegistration } from "../core/index.ts";
import { checkBoolean, checkKeys, checkMs, checkObject } from "../core/internal.ts";
import { Health } from "./gen/grpc/health/v1/health_pb.js";
import { createHealthService } from "./health-service.ts";
import { createHttpHealthHandler } from "./http-health-handler.ts";
import type { HttpHealthPaths } from "./http-paths.ts";
import { addLiveManager, removeLiveManager } from "./live-managers.ts";
import { attachServer, createHealthcheckManager, HealthcheckManager } from "./manager.ts";
import { type HealthProbe, ProbeLoop, type ResolvedProbe, resolveProbes } from "./probes.ts";
import { ServerHealth } from "./server-health.ts";

export interface HealthcheckOptions {
  /** Where statuses are kept. Pass one to share or to hold it. Default: a new one per call. */
  readonly manager?: HealthcheckManager;
  /** Answer HTTP probes, too. Default `false`. */
  readonly httpEnabled?: boolean;
  /**
   * Default `{ live: ["/livez"], ready: ["/readyz"], health: ["/healthz", "/health"] }`. An array
   * makes all its paths `health` ones and leaves no other.
   */
  readonly httpPaths?: HttpHealthPaths | readonly string[];
  /**
   * Least time between two messages of a Watch, in milliseconds; the latest status wins. Changes are
   * pushed, so the default 0 costs nothing while nothing changes.
   */
  readonly watchInterval?: number;
  /**
   * Whether services nobody has set are SERVING from `ready` on. Default `true`. Either way
   * everything but liveness and the `health` paths answers NOT_SERVING once the server begins to stop.
   */
  readonly automatic?: boolean;
  /** Probes by component name, run from `ready` until the server begins to stop. Default none. */
  readonly checks?: Readonly<Record<string, HealthProbe>>;
}

export type HealthcheckRegistration = ProtocolRegistration & {
  readonly manager: HealthcheckManager;
};

/**
 * `grpc.health.v1.Health` and HTTP probes, as a protocol of one server. Statuses are those of the
 * mounted services; gRPC's own (health, reflection, channelz) are not among them, since nobody would
 * ever set them.
 *
 * @example
 * const health = Healthcheck({ httpEnabled: true });
 * const server = createServer({ services, protocols: [health] });
 * await server.start();
 * health.manager.update(ServingStatus.NOT_SERVING, "greeter.v1.GreeterService");
 */
export function Healthcheck(options: HealthcheckOptions = {}): HealthcheckRegistration {
  const resolved = resolveOptions(options);
  const { manager, isOwn, httpEnabled, httpPaths } = resolved;
  let mounted: Mounted | undefined;
  const isDraining = () => mounted?.health.isDraining ?? false;
  const handler = createHttpHealthHandler(manager, { httpPaths, isDraining });
  if (isOwn) addLiveManager(manager);
  return {
    name: "healthcheck",
    manager,
    httpHandler: httpEnabled ? handler : undefined,
    register(router, context) {
      // The signal tells servers apart; freezing may be tried twice by one, if a route is wrong.
      if (mounted?.shutdownSignal !== context.shutdownSignal) {
        if (mounted && !mounted.isStopped) throw registeredTwice();
        mounted = mountHealth(resolved, context);
      }
      router.service(Health, createHealthService(mounted.health, resolved.watchInterval));
    },
  };
}

/** A registration on a server, until that stops. */
interface Mounted {
  readonly health: ServerHealth;
  readonly shutdownSignal: AbortSignal;
  isStopped: boolean;
}

function mountHealth(options: ResolvedOptions, context: ProtocolContext): Mounted {
  const { manager, isOwn, automatic, probes } = options;
  const { logger, shutdownSignal } = context;
  const health = new ServerHealth(manager);
  const mounted: Mounted = { health, shutdownSignal, isStopped: false };
  // One listener per concern: when a change listener of the user throws, the others still run.
  for (const probe of probes) {
    const loop = new ProbeLoop(probe, manager, logger);
    context.on("ready", () => loop.start());
    context.on("stopping", () => loop.stop());
    context.on("stop", () => loop.remove());
  }
  const attachment = attachServer(manager, () => trackedServices(context));
  if (automatic) context.on("ready", () => attachment.ready());
  context.on("stopping", () => health.drain());
  shutdownSignal.addEventListener("abort", () => health.end(), { once: true });
  context.on("stop", () => attachment.detach());
  context.on("stop", () => {
    mounted.isStopped = true;
    // A microtask later, so that the user's `stop` listeners still reach it.
    if (isOwn) queueMicrotask(() => removeLiveManager(manager));
  });
  if (isOwn) addLiveManager(manager);
  return mounted;
}

/** The services whose status somebody would set: all but gRPC's own. */
function trackedServices({ services }: ProtocolContext): string[] {
  return services
    .map(({ typeName }) => typeName)
    .filter((typeName) => !/^grpc\.(health|reflection|channelz)\./.test(typeName));
}

interface ResolvedOptions extends Omit<Required<HealthcheckOptions>, "checks"> {
  readonly probes: readonly ResolvedProbe[];
  /** Whether the manager was made here, and `healthcheckManager` may reach it. */
  readonly isOwn: boolean;
}

function resolveOptions(options: HealthcheckOptions): ResolvedOptions {
  checkKeys("Healthcheck", options, [
    "manager",
    "httpEnabled",
    "httpPaths",
    "watchInterval",
    "automatic",
    "checks",
  ]);
  const {
    manager = createHealthcheckManager(),
    httpEnabled = false,
    httpPaths = {},
    watchInterval = 0,
    automatic = true,
    checks = {},
  } = options;
  if (!(manager instanceof HealthcheckManager)) {
    throw new ConnectumError(
      "INVALID_OPTION",
      "manager must come from createHealthcheckManager(); healthcheckManager only forwards to others",
    );
  }
  checkBoolean("httpEnabled", httpEnabled);
  checkBoolean("automatic", automatic);
  checkObject("checks", checks);
  checkMs("watchInterval", watchInterval);
  const probes = resolveProbes(checks);
  const isOwn = options.manager === undefined;
  return { manager, isOwn, httpEnabled, httpPaths, watchInterval, automatic, probes };
}

function registeredTwice(): ConnectumError {
  return new ConnectumError(
    "INVALID_STATE",
    "this Healthcheck() is on a server already; call Healthcheck() once per server, with one " +
      "`manager` if they share their status",
  );
}
