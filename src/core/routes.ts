import type { DescFile, DescMethod, DescService } from "@bufbuild/protobuf";
import type { ConnectRouter, HandlerContext, Interceptor } from "@connectrpc/connect";
import type { EnabledServices } from "./client/enabled-services.ts";
import {
  bindMethod,
  checkServiceOptions,
  type ServiceDefinition,
  type ServiceOptions,
  type ServiceRoute,
} from "./define-service.ts";
import { ConnectumError } from "./errors.ts";
import { filesOf } from "./files-of.ts";
import type { ProtocolContext, ProtocolRegistration } from "./protocol.ts";
import type { ResolvedOptions } from "./resolve-options.ts";

/** One registered RPC with everything that applies to it: server options and its service's merged. */
export interface Route {
  readonly method: DescMethod;
  readonly path: string;
  readonly implementation: (request: never, context: HandlerContext) => unknown;
  readonly options: RouteOptions;
}

export type RouteOptions = Pick<
  ResolvedOptions,
  | "connect"
  | "grpc"
  | "grpcWeb"
  | "interceptors"
  | "jsonOptions"
  | "binaryOptions"
  | "readMaxBytes"
  | "writeMaxBytes"
  | "compression"
  | "maxTimeoutMs"
>;

/** The frozen routes of a server: one state and one registry, whatever doors are used. */
export interface RouteTable {
  readonly routes: ReadonlyMap<string, Route>;
  readonly services: readonly DescService[];
}

/** Live lists that a {@link ProtocolContext} shows and that freezing fills. */
export interface Registry {
  readonly services: DescService[];
  readonly files: DescFile[];
}

/**
 * Runs every route function and protocol once. Throws DUPLICATE_METHOD or DUPLICATE_PROTOCOL when
 * two of them claim the same thing, UNKNOWN_SERVICE for an `enabledServices` pattern that is none.
 */
export function freezeRoutes(
  services: ReadonlyArray<ServiceRoute | ServiceDefinition>,
  protocols: readonly ProtocolRegistration[],
  serverOptions: RouteOptions,
  enabled: EnabledServices,
  registry: Registry,
  context: ProtocolContext,
): RouteTable {
  const routes = new Map<string, Route>();
  const isEnabled = (typeName: string) => enabled.has(typeName);
  for (const service of services) {
    const router = recordingRouter(
      routes,
      registry,
      (options) =>
        mergeOptions(serverOptions, options, [
          ...serverOptions.interceptors,
          ...(options?.interceptors ?? []),
        ]),
      isEnabled,
    );
    if (typeof service === "function") service(router);
    else service.register(router);
  }
  enabled.checkAllMatched();
  const names = new Set<string>();
  for (const protocol of protocols) {
    if (names.has(protocol.name)) {
      throw new ConnectumError(
        "DUPLICATE_PROTOCOL",
        `protocol "${protocol.name}" is registered twice; register it once`,
      );
    }
    names.add(protocol.name);
    const router = recordingRouter(routes, registry, (options) =>
      mergeOptions(serverOptions, options, options?.interceptors ?? serverOptions.interceptors),
    );
    protocol.register(router, context);
  }
  registry.files.push(...filesOf(registry.services));
  return { routes, services: registry.services };
}

function recordingRouter(
  routes: Map<string, Route>,
  registry: Registry,
  resolve: (options: ServiceOptions | undefined) => RouteOptions,
  isEnabled: (typeName: string) => boolean = () => true,
): ConnectRouter {
  const add = (
    method: DescMethod,
    implementation: Route["implementation"],
    options: RouteOptions,
  ) => {
    const path = `/${method.parent.typeName}/${method.name}`;
    if (routes.has(path)) {
      throw new ConnectumError(
        "DUPLICATE_METHOD",
        `${path.slice(1)} is registered twice; remove one of the registrations`,
      );
    }
    routes.set(path, { method, path, implementation, options });
    if (!registry.services.includes(method.parent)) registry.services.push(method.parent);
  };
  const router: ConnectRouter = {
    handlers: [],
    service(service, implementation, options) {
      if (!isEnabled(service.typeName)) return router;
      checkServiceOptions(service.typeName, options ?? {});
      const resolved = resolve(options);
      for (const method of service.methods) {
        add(method, bindMethod(method, implementation), resolved);
      }
      if (!registry.services.includes(service)) registry.services.push(service);
      return router;
    },
    rpc(method, implementation, options) {
      if (!isEnabled(method.parent.typeName)) return router;
      checkServiceOptions(method.parent.typeName, options ?? {});
      add(method, implementation as Route["implementation"], resolve(options));
      return router;
    },
  };
  return router;
}

/** What a service sets wins, except that a protocol switched off on the server stays off. */
function mergeOptions(
  server: RouteOptions,
  service: ServiceOptions | undefined,
  interceptors: Interceptor[],
): RouteOptions {
  if (!service) return { ...server, interceptors };
  const {
    connect = true,
    grpc = true,
    grpcWeb = true,
    jsonOptions,
    binaryOptions,
    readMaxBytes = server.readMaxBytes,
    writeMaxBytes = server.writeMaxBytes,
    acceptCompression = server.compression.accept,
    compressMinBytes = server.compression.minBytes,
    maxTimeoutMs = server.maxTimeoutMs,
  } = service;
  return {
    connect: server.connect && connect,
    grpc: server.grpc && grpc,
    grpcWeb: server.grpcWeb && grpcWeb,
    interceptors,
    jsonOptions: { ...server.jsonOptions, ...jsonOptions },
    binaryOptions: { ...server.binaryOptions, ...binaryOptions },
    readMaxBytes,
    writeMaxBytes,
    compression: { accept: [...acceptCompression], minBytes: compressMinBytes },
    maxTimeoutMs,
  };
}
