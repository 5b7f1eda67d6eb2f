import {
  checkBoolean,
  checkFunction,
  checkInteger,
  checkKeys,
  checkList,
  checkMs,
  checkObject,
  checkText,
  show,
} from "./check-options.ts";
import { checkEventBus, checkInterceptor, checkProtocol, checkService } from "./check-parts.ts";
import { MAX_MESSAGE_BYTES, resolveCompression } from "./compression.ts";
import { checkLifetimes, resolveFloodLimits, resolveKeepalive } from "./connection-options.ts";
import { ConnectumError } from "./errors.ts";
import { createCors } from "./http/cors.ts";
import { checkLogger, silentLogger } from "./logger.ts";
import type { CreateServerOptions } from "./options.ts";
import { resolveShutdown } from "./shutdown-options.ts";
import { checkTLSOptions } from "./tls.ts";

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
  "maxHeaderBytes",
  "headersTimeoutMs",
  "bodyIdleTimeoutMs",
  "writeIdleTimeoutMs",
  "floodLimits",
  "cors",
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

/** More than any client sends, and little enough to be held for every stream. */
const MAX_HEADER_BYTES = 1024 * 1024;

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
    maxHeaderBytes = 16 * 1024,
    headersTimeoutMs = 10_000,
    bodyIdleTimeoutMs = 30_000,
    writeIdleTimeoutMs = 60_000,
    floodLimits = {},
    cors = false,
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
  checkList("services", services, checkService);
  checkList("protocols", protocols, checkProtocol);
  checkList("interceptors", interceptors, checkInterceptor);
  checkList("outgoingInterceptors", outgoingInterceptors, checkInterceptor);
  checkBooleans({ allowHTTP1, allowHTTP2, connect, grpc, grpcWeb });
  checkObject("http2Options", http2Options);
  if (jsonOptions !== undefined) checkObject("jsonOptions", jsonOptions);
  if (binaryOptions !== undefined) checkObject("binaryOptions", binaryOptions);
  if (eventBus !== undefined) checkEventBus(eventBus);
  checkLogger("logger", logger);
  checkInteger("port", port, 0, 65_535);
  checkText("host", host);
  if (path !== undefined) checkText("path", path);
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
  if (remoteResolver !== undefined) checkFunction("remoteResolver", remoteResolver);
  if (enabledServices !== undefined) checkList("enabledServices", enabledServices, checkText);
  if (tls) checkTLSOptions(tls);
  checkMs("handshakeTimeout", handshakeTimeout, 1);
  checkInteger("readMaxBytes", readMaxBytes, 1, MAX_MESSAGE_BYTES);
  checkInteger("writeMaxBytes", writeMaxBytes, 1, MAX_MESSAGE_BYTES);
  checkInteger("maxConcurrentStreams", maxConcurrentStreams, 1, 0xffff_ffff);
  if (options.maxTimeoutMs !== undefined) checkMs("maxTimeoutMs", options.maxTimeoutMs, 1);
  checkInteger("maxHeaderBytes", maxHeaderBytes, 1, MAX_HEADER_BYTES);
  checkMs("headersTimeoutMs", headersTimeoutMs, 1);
  checkMs("bodyIdleTimeoutMs", bodyIdleTimeoutMs, 1);
  checkMs("writeIdleTimeoutMs", writeIdleTimeoutMs, 1);
  checkLifetimes({ maxConnectionAgeMs, maxConnectionAgeGraceMs, maxConnectionIdleMs });

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
    compression: resolveCompression(compression),
    maxTimeoutMs,
    maxConcurrentStreams,
    maxHeaderBytes,
    headersTimeoutMs,
    bodyIdleTimeoutMs,
    writeIdleTimeoutMs,
    floodLimits: resolveFloodLimits(floodLimits),
    cors: cors ? createCors(cors) : undefined,
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

function checkBooleans(options: Readonly<Record<string, boolean>>): void {
  for (const [name, value] of Object.entries(options)) checkBoolean(name, value);
}
