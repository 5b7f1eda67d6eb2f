import type { DescMethod, DescService } from "@bufbuild/protobuf";
import type { ConnectRouter, HandlerContext, ServiceImpl } from "@connectrpc/connect";
import { Code, ConnectError } from "@connectrpc/connect";
import { checkKeys } from "./check-options.ts";
import { ConnectumError } from "./errors.ts";

type RouterOptions = NonNullable<Parameters<ConnectRouter["service"]>[2]>;

/** Options of one service; each merges over the server's option of the same name. */
export type ServiceOptions = Omit<
  RouterOptions,
  "requireConnectProtocolHeader" | "shutdownSignal"
> & {
  readonly connect?: boolean;
  readonly grpc?: boolean;
  readonly grpcWeb?: boolean;
};

const optionNames = [
  "connect",
  "grpc",
  "grpcWeb",
  "interceptors",
  "jsonOptions",
  "binaryOptions",
  "readMaxBytes",
  "writeMaxBytes",
  "acceptCompression",
  "compressMinBytes",
  "maxTimeoutMs",
] as const satisfies ReadonlyArray<keyof ServiceOptions>;

/**
 * Throws INVALID_OPTION for an option that would be ignored: route functions are written against the
 * types of connect-es, which have two that are not taken here.
 */
export function checkServiceOptions(typeName: string, options: RouterOptions): void {
  const { requireConnectProtocolHeader, shutdownSignal, ...rest } = options;
  if (requireConnectProtocolHeader) {
    throw new ConnectumError(
      "INVALID_OPTION",
      `${typeName} cannot have "requireConnectProtocolHeader": refuse requests without connect-protocol-version in an interceptor of the service`,
    );
  }
  if (shutdownSignal) {
    throw new ConnectumError(
      "INVALID_OPTION",
      `${typeName} cannot have "shutdownSignal": a stop aborts the signals of calls by itself (shutdown.abortGraceMs); server.shutdownSignal tells earlier`,
    );
  }
  checkKeys(`the options of ${typeName}`, rest, optionNames);
}

/** A service with its implementation, ready for `createServer({ services })`. */
export interface ServiceDefinition {
  readonly descriptor: DescService;
  register(router: ConnectRouter): void;
}

/** Registers services on a router, exactly as connect-es applications write it. */
export type ServiceRoute = (router: ConnectRouter) => void;

/**
 * Binds an implementation to a service. Objects and class instances both work: inherited methods
 * count and `this` is kept. A method left out answers `unimplemented`.
 */
export function defineService<T extends DescService>(
  descriptor: T,
  implementation: Partial<ServiceImpl<T>>,
  options: ServiceOptions = {},
): ServiceDefinition {
  checkServiceOptions(descriptor.typeName, options);
  return {
    descriptor,
    register: (router) => void router.service(descriptor, implementation, options),
  };
}

/**
 * Like {@link defineService}, with an implementation that is loaded at the first call of one of its
 * methods. Calls that arrive meanwhile share the load. A load that fails is answered `internal`,
 * and the next call tries again.
 */
export function defineLazyService<T extends DescService>(
  descriptor: T,
  load: () => Promise<Partial<ServiceImpl<T>>>,
  options: ServiceOptions = {},
): ServiceDefinition {
  checkServiceOptions(descriptor.typeName, options);
  return {
    descriptor,
    register(router) {
      const loadOnce = shareLoad(load);
      const implementation: Implementation = {};
      for (const method of descriptor.methods) {
        implementation[method.localName] = lazyMethod(method, loadOnce);
      }
      router.service(descriptor, implementation as Partial<ServiceImpl<T>>, options);
    },
  };
}

function shareLoad(load: () => Promise<object>): () => Promise<object> {
  let loading: Promise<object> | undefined;
  return () => {
    loading ??= Promise.resolve()
      .then(load)
      .catch((error) => {
        loading = undefined;
        throw error;
      });
    return loading;
  };
}

type Implementation = Record<string, unknown>;
type AnyMethod = (request: unknown, context: HandlerContext) => unknown;

function lazyMethod(method: DescMethod, load: () => Promise<object>): AnyMethod {
  const isStream =
    method.methodKind === "server_streaming" || method.methodKind === "bidi_streaming";
  if (!isStream) {
    return async (request, context) => bindMethod(method, await load())(request, context);
  }
  return async function* (request, context) {
    yield* bindMethod(method, await load())(request, context) as AsyncIterable<unknown>;
  };
}

/** The function that implements `method`, bound to its object, or one that answers `unimplemented`. */
export function bindMethod(method: DescMethod, implementation: object): AnyMethod {
  const candidate = (implementation as Implementation)[method.localName];
  if (typeof candidate === "function") return candidate.bind(implementation) as AnyMethod;
  return () => {
    throw new ConnectError(
      `${method.parent.typeName}.${method.name} is not implemented`,
      Code.Unimplemented,
    );
  };
}
