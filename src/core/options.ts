import type { SecureServerOptions } from "node:http2";
import type {
  BinaryReadOptions,
  BinaryWriteOptions,
  JsonReadOptions,
  JsonWriteOptions,
} from "@bufbuild/protobuf";
import type { Interceptor } from "@connectrpc/connect";
import type { Compression } from "@connectrpc/connect/protocol";
import { checkInteger, checkKeys, checkMs, show } from "./check-options.ts";
import type { RemoteResolver } from "./client/remote-resolver.ts";
import { supportedCompressions } from "./compression.ts";
import type { ServiceDefinition, ServiceRoute } from "./define-service.ts";
import { ConnectumError } from "./errors.ts";
import { type Logger, silentLogger } from "./logger.ts";
import type { ProtocolRegistration } from "./protocol.ts";
import { checkTLSOptions, type TLSOptions } from "./tls.ts";

/** How a server stops. All times in milliseconds. */
export interface ShutdownOptions {
  /** Stop on the signals below. Default false. */
  readonly autoShutdown?: boolean;
  /** Default `["SIGTERM", "SIGINT"]`. A second one while stopping ends the drain at once. */
  readonly signals?: readonly NodeJS.Signals[];
  /** From `stopping` to the forced close, `drainDelayMs` included. Default 30 000. */
  readonly timeout?: number;
  /**
   * How long everything is still served after readiness went off, for load balancers to notice.
   * Default 0; 5 000 is a good value on Kubernetes. Must be less than `timeout`.
   */
  readonly drainDelayMs?: number;
  /**
   * How long before the end of `timeout` calls that still run get their signal aborted with
   * `unavailable`. Default min(5 000, timeout / 2).
   */
  readonly abortGraceMs?: number;
  /** Destroy what is left at `timeout`; `false` waits until the calls end. Default true. */
  readonly forceCloseOnTimeout?: boolean;
  /** Limit for event bus and shutdown hooks together, after the close. Default 10 000. */
  readonly hookTimeoutMs?: number;
}

/** Started before the server listens, stopped after the drain. */
export interface EventBusLike {
  start(context: { readonly signal: AbortSignal }): void | Promise<void>;
  stop(): void | Promise<void>;
}

export interface CreateServerOptions {
  /** Route functions as connect-es users write them, or results of `defineService`. */
  readonly services: ReadonlyArray<ServiceRoute | ServiceDefinition>;
  /** 0 is any free port. Default 5000. */
  readonly port?: number;
  /** Default `"0.0.0.0"`; `"::"` is dual stack. */
  readonly host?: string;
  /** Unix domain socket instead of host and port. */
  readonly path?: string;
  readonly tls?: TLSOptions;
  /** Default true. Plaintext offers both HTTP versions on the one port, TLS both by ALPN. */
  readonly allowHTTP1?: boolean;
  /** Default true. */
  readonly allowHTTP2?: boolean;
  /** Serve the Connect protocol. Default true. */
  readonly connect?: boolean;
  /** Serve gRPC. Default true. */
  readonly grpc?: boolean;
  /** Serve gRPC-Web. Default true. */
  readonly grpcWeb?: boolean;
  /** Health, reflection and protocols of your own. Default none. */
  readonly protocols?: readonly ProtocolRegistration[];
  /** Used as given, outermost first. Default none. */
  readonly interceptors?: readonly Interceptor[];
  readonly shutdown?: ShutdownOptions;
  /**
   * From accept to a usable connection, in milliseconds: the TLS handshake, the first bytes of a
   * plaintext socket, the client's HTTP/2 settings. Default 30 000.
   */
  readonly handshakeTimeout?: number;
  /** Passed to node:http2 as they are. */
  readonly http2Options?: Omit<SecureServerOptions, "allowHTTP1" | "key" | "cert" | "ca">;
  /** For all services; options of a service merge over them. */
  readonly jsonOptions?: Partial<JsonReadOptions & JsonWriteOptions>;
  readonly binaryOptions?: Partial<BinaryReadOptions & BinaryWriteOptions>;
  /** Largest message read, in bytes, once inflated. More is `resource_exhausted`. Default 4 MiB. */
  readonly readMaxBytes?: number;
  /** Largest message written, in bytes. More is `resource_exhausted`. Default 4 GiB - 1. */
  readonly writeMaxBytes?: number;
  readonly compression?: CompressionOptions;
  /** Longest deadline a client may set, in milliseconds; a longer one is shortened. Default: none. */
  readonly maxTimeoutMs?: number;
  /** Streams open at once on an HTTP/2 connection. Default 1000. */
  readonly maxConcurrentStreams?: number;
  /** Finds HTTP/2 peers that vanished. Default `{ intervalMs: 60_000, timeoutMs: 20_000 }`. */
  readonly keepalive?: KeepaliveOptions | false;
  /**
   * How long a connection lives before its client is asked to open another, plus or minus 10 %, in
   * milliseconds; lets load balancers rebalance. Default: for ever.
   */
  readonly maxConnectionAgeMs?: number;
  /** How long calls may run on after that before the connection is cut. Default: for ever. */
  readonly maxConnectionAgeGraceMs?: number;
  /** How long a connection without calls stays open, in milliseconds. Default: HTTP/1.1 75 000, HTTP/2 for ever. */
  readonly maxConnectionIdleMs?: number;
  /**
   * What `start()` does with `allowHTTP2: false` when a mounted method is bidi, which HTTP/1.1
   * cannot carry: reject, warn, or nothing. Default `"error"`.
   */
  readonly transportValidation?: "error" | "warn" | "off";
  /** Finds the transports of services that are not mounted here. Default: there are none. */
  readonly remoteResolver?: RemoteResolver;
  /** Around every call of every client of `server.client()`, local or remote. Default none. */
  readonly outgoingInterceptors?: readonly Interceptor[];
  /**
   * Mounts only these of `services`; the rest count as remote. Type names, where `*` stands for any
   * characters. Default all. Freezing the routes throws for a pattern that matches nothing.
   */
  readonly enabledServices?: readonly string[];
  readonly eventBus?: EventBusLike;
  /** The only way core speaks. Default: silent. */
  readonly logger?: Logger;
}

export interface KeepaliveOptions {
  /** A connection that sent nothing for this long gets a PING. Default 60 000 ms. */
  readonly intervalMs?: number;
  /** A connection that does not answer the PING within this time is closed. Default 20 000 ms. */
  readonly timeoutMs?: number;
}

export interface CompressionOptions {
  /** Offered to clients in this order. Default gzip, br, and zstd where node:zlib has it. */
  readonly accept?: readonly Compression[];
  /** Smaller messages go out uncompressed. Default 1024. */
  readonly minBytes?: number;
}

export type ResolvedShutdown = Required<ShutdownOptions>;

/** Every option checked and filled; `undefined` is left only where absence means something. */
export type ResolvedOptions = Readonly<ReturnType<typeof resolveOptions>>;

const OPTION_NAMES = [
  "services",
  "port",
  "host",
  "path",
  "tls",
  "allowHTTP1",
  "allowHTTP2",
  "connect",
  "grpc",
  "grpcWeb",
  "protocols",
  "interceptors",
  "shutdown",
  "handshakeTimeout",
  "http2Options",
  "jsonOptions",
  "binaryOptions",
  "readMaxBytes",
  "writeMaxBytes",
  "compression",
  "maxTimeoutMs",
  "maxConcurrentStreams",
  "keepalive",
  "maxConnectionAgeMs",
  "maxConnectionAgeGraceMs",
  "maxConnectionIdleMs",
  "transportValidation",
  "remoteResolver",
  "outgoingInterceptors",
  "enabledServices",
  "eventBus",
  "logger",
] as const satisfies ReadonlyArray<keyof CreateServerOptions>;

const RETIRED = {
  health: "pass protocols: [Healthcheck()], which connectum/healthcheck exports",
  reflection: "pass protocols: [Reflection()], which connectum/reflection exports",
  builtinInterceptors:
    "pass interceptors: createDefaultInterceptors(), which connectum/interceptors exports",
};

const MAX_MESSAGE_BYTES = 0xffff_ffff;

/** Throws INVALID_OPTION for the first option that cannot work. */
export function resolveOptions(options: CreateServerOptions) {
  checkKeys("createServer()", options, OPTION_NAMES, RETIRED);
  const {
    services,
    port = 5000,
    host = "0.0.0.0",
    path,
    tls,
    allowHTTP1 = true,
    allowHTTP2 = true,
    connect = true,
    grpc = true,
    grpcWeb = true,
    protocols = [],
    interceptors = [],
    shutdown = {},
    handshakeTimeout = 30_000,
    http2Options = {},
    jsonOptions,
    binaryOptions,
    readMaxBytes = 4 * 1024 * 1024,
    writeMaxBytes = MAX_MESSAGE_BYTES,
    compression = {},
    maxTimeoutMs = Number.POSITIVE_INFINITY,
    maxConcurrentStreams = 1000,
    keepalive = {},
    maxConnectionAgeMs,
    maxConnectionAgeGraceMs,
    maxConnectionIdleMs,
    transportValidation = "error",
    remoteResolver,
    outgoingInterceptors = [],
    enabledServices,
    eventBus,
    logger = silentLogger,
  } = options;
  if (!Array.isArray(services)) {
    throw new ConnectumError(
      "INVALID_OPTION",
      `services must be an array of routes, got ${show(services)}; [] is allowed`,
    );
  }
  checkInteger("port", port, 0, 65_535);
  if (path !== undefined && (options.port !== undefined || options.host !== undefined)) {
    throw new ConnectumError(
      "INVALID_OPTION",
      "path is a Unix domain socket and excludes host and port; give one or the other",
    );
  }
  if (!allowHTTP1 && !allowHTTP2) {
    throw new ConnectumError(
      "INVALID_OPTION",
      "allowHTTP1 and allowHTTP2 are both false, so nobody could connect; leave one on",
    );
  }
  if (!connect && !grpc && !grpcWeb) {
    throw new ConnectumError(
      "INVALID_OPTION",
      "connect, grpc and grpcWeb are all false, so no call could be made; leave one on",
    );
  }
  if (!["error", "warn", "off"].includes(transportValidation)) {
    throw new ConnectumError(
      "INVALID_OPTION",
      `transportValidation must be "error", "warn" or "off", got ${show(transportValidation)}`,
    );
  }
  if (remoteResolver !== undefined && typeof remoteResolver !== "function") {
    throw new ConnectumError(
      "INVALID_OPTION",
      `remoteResolver must be a function, got ${show(remoteResolver)}`,
    );
  }
  if (enabledServices?.some((pattern) => typeof pattern !== "string" || pattern === "")) {
    throw new ConnectumError(
      "INVALID_OPTION",
      "enabledServices must be an array of type names, and one of them is empty or no string",
    );
  }
  if (tls) checkTLSOptions(tls);
  checkMs("handshakeTimeout", handshakeTimeout, 1);
  checkInteger("readMaxBytes", readMaxBytes, 1, MAX_MESSAGE_BYTES);
  checkInteger("writeMaxBytes", writeMaxBytes, 1, MAX_MESSAGE_BYTES);
  checkInteger("maxConcurrentStreams", maxConcurrentStreams, 1, 0xffff_ffff);
  if (options.maxTimeoutMs !== undefined) checkMs("maxTimeoutMs", options.maxTimeoutMs, 1);
  const lifetimes = { maxConnectionAgeMs, maxConnectionAgeGraceMs, maxConnectionIdleMs };
  for (const [name, value] of Object.entries(lifetimes)) {
    if (value !== undefined) checkMs(name, value, 1);
  }
  if (maxConnectionAgeGraceMs !== undefined && maxConnectionAgeMs === undefined) {
    throw new ConnectumError(
      "INVALID_OPTION",
      "maxConnectionAgeGraceMs does nothing without maxConnectionAgeMs; set both or neither",
    );
  }
  checkKeys("compression", compression, ["accept", "minBytes"]);
  const { accept = supportedCompressions(), minBytes = 1024 } = compression;
  checkInteger("compression.minBytes", minBytes, 0, MAX_MESSAGE_BYTES);

  return {
    services: [...services],
    port,
    host,
    path,
    tls: tls && { ...tls },
    allowHTTP1,
    allowHTTP2,
    connect,
    grpc,
    grpcWeb,
    protocols: [...protocols],
    interceptors: [...interceptors],
    shutdown: resolveShutdown(shutdown),
    handshakeTimeout,
    http2Options: { ...http2Options },
    jsonOptions: { ...jsonOptions },
    binaryOptions: { ...binaryOptions },
    readMaxBytes,
    writeMaxBytes,
    compression: { accept: [...accept], minBytes },
    maxTimeoutMs,
    maxConcurrentStreams,
    keepalive: resolveKeepalive(keepalive),
    maxConnectionAgeMs,
    maxConnectionAgeGraceMs,
    maxConnectionIdleMs,
    transportValidation,
    remoteResolver,
    outgoingInterceptors: [...outgoingInterceptors],
    enabledServices: enabledServices && [...enabledServices],
    eventBus,
    logger,
  };
}

function resolveKeepalive(keepalive: KeepaliveOptions | false) {
  if (keepalive === false) return undefined;
  checkKeys("keepalive", keepalive, ["intervalMs", "timeoutMs"]);
  const { intervalMs = 60_000, timeoutMs = 20_000 } = keepalive;
  checkMs("keepalive.intervalMs", intervalMs, 1);
  checkMs("keepalive.timeoutMs", timeoutMs, 1);
  return { intervalMs, timeoutMs };
}

function resolveShutdown(shutdown: ShutdownOptions): ResolvedShutdown {
  checkKeys("shutdown", shutdown, [
    "autoShutdown",
    "signals",
    "timeout",
    "drainDelayMs",
    "abortGraceMs",
    "forceCloseOnTimeout",
    "hookTimeoutMs",
  ] satisfies ReadonlyArray<keyof ShutdownOptions>);
  const {
    autoShutdown = false,
    signals = ["SIGTERM", "SIGINT"],
    timeout = 30_000,
    drainDelayMs = 0,
    abortGraceMs = Math.min(5_000, Math.floor(timeout / 2)),
    forceCloseOnTimeout = true,
    hookTimeoutMs = 10_000,
  } = shutdown;
  checkMs("shutdown.timeout", timeout, 1);
  checkMs("shutdown.drainDelayMs", drainDelayMs);
  checkMs("shutdown.abortGraceMs", abortGraceMs);
  checkMs("shutdown.hookTimeoutMs", hookTimeoutMs, 1);
  if (drainDelayMs >= timeout) {
    throw new ConnectumError(
      "INVALID_OPTION",
      `shutdown.drainDelayMs must be less than shutdown.timeout (${timeout}), got ${drainDelayMs}`,
    );
  }
  if (abortGraceMs > timeout) {
    throw new ConnectumError(
      "INVALID_OPTION",
      `shutdown.abortGraceMs must be at most shutdown.timeout (${timeout}), got ${abortGraceMs}`,
    );
  }
  return {
    autoShutdown,
    signals: [...signals],
    timeout,
    drainDelayMs,
    abortGraceMs,
    forceCloseOnTimeout,
    hookTimeoutMs,
  };
}
