import type {
  CompressionOptions,
  CorsOptions,
  CreateServerOptions,
  DnsResolverOptions,
  FloodLimits,
  KeepaliveOptions,
  LocalTransportOptions,
  OutgoingCallOptions,
  PerServiceEnvResolverOptions,
  ServerClientOptions,
  ServiceOptions,
  ShutdownOptions,
  TLSOptions,
} from "connectum/core";
import type { Proofs, Within } from "./proof.ts";

const serviceOptions = "test/core/service-options.test.ts";

type Nested = "shutdown" | "tls" | "compression" | "keepalive" | "floodLimits" | "cors";

type ServerOption =
  | Exclude<keyof CreateServerOptions, Nested>
  | Within<"shutdown", ShutdownOptions>
  | Within<"tls", TLSOptions>
  | Within<"compression", CompressionOptions>
  | Within<"keepalive", KeepaliveOptions>
  | Within<"floodLimits", FloodLimits>
  | Within<"cors", CorsOptions>;

const bad = "test/core/bad-input";
const server = "test/core/server.test.ts";
const stop = "test/core/stop.test.ts";
const tls = "test/core/tls.test.ts";
const lifetime = "test/core/connection-options.test.ts";
const every = "test/core/server-options.test.ts";
const client = "test/core/client-options.test.ts";
const cors = "test/core/cors.test.ts";
const floodLimits = "sets how much";

export const coreOptions: Proofs<{
  createServer: ServerOption;
  createLocalTransport: keyof LocalTransportOptions;
  "server.client": keyof ServerClientOptions;
  callOptions: keyof OutgoingCallOptions;
  defineService: keyof ServiceOptions;
  dnsResolver: keyof DnsResolverOptions;
  perServiceEnvResolver: keyof PerServiceEnvResolverOptions;
}> = {
  createServer: {
    services: [
      "test/core/routes.test.ts",
      "a route function, a defineService result and router.rpc",
    ],
    port: [every, "port and host are where the server listens"],
    host: [every, "port and host are where the server listens"],
    path: [server, "a Unix domain socket is an address like any other"],
    allowHTTP1: ["test/core/listener.test.ts", "with allowHTTP1 false serves only HTTP/2"],
    allowHTTP2: ["test/core/listener.test.ts", "with allowHTTP1 false serves only HTTP/2"],
    connect: [every, "false switches that protocol off, and no other"],
    grpc: [every, "false switches that protocol off, and no other"],
    grpcWeb: [every, "false switches that protocol off, and no other"],
    protocols: ["test/core/protocol.test.ts", "HTTP handlers run in order, for both HTTP versions"],
    interceptors: [
      "test/core/routes.test.ts",
      "interceptors of a service run inside those of the server",
    ],
    handshakeTimeout: [
      `${bad}/slow-headers.test.ts`,
      "a client that says nothing is closed after handshakeTimeout",
    ],
    http2Options: [every, "http2Options reach node:http2"],
    jsonOptions: [
      `${bad}/messages.test.ts`,
      "unknown JSON fields are invalid_argument where jsonOptions say so",
    ],
    binaryOptions: [every, "binaryOptions decide how messages are read"],
    readMaxBytes: [
      `${bad}/message-limit.test.ts`,
      "a body that grows over readMaxBytes is refused on the way",
    ],
    writeMaxBytes: [every, "writeMaxBytes refuses an answer that is larger"],
    maxTimeoutMs: [
      `${bad}/deadlines.test.ts`,
      "a deadline longer than maxTimeoutMs is shortened to it",
    ],
    maxConcurrentStreams: [
      `${bad}/floods.test.ts`,
      "more streams at once than maxConcurrentStreams",
    ],
    maxHeaderBytes: [`${bad}/header-limit.test.ts`, "headers within maxHeaderBytes pass"],
    headersTimeoutMs: [
      `${bad}/slow-headers.test.ts`,
      "HTTP/1.1 headers that trickle in are answered 408",
    ],
    bodyIdleTimeoutMs: [`${bad}/stalls.test.ts`, "a unary body that stalls ends its call"],
    writeIdleTimeoutMs: [
      `${bad}/stalls.test.ts`,
      "an HTTP/2 stream nobody reads is reset, and its handler told",
    ],
    maxConnectionAgeMs: [lifetime, "after maxConnectionAgeMs a client is asked to leave"],
    maxConnectionAgeGraceMs: [lifetime, "after maxConnectionAgeGraceMs what still runs is cut"],
    maxConnectionIdleMs: [
      lifetime,
      "an idle HTTP/1.1 connection is closed after maxConnectionIdleMs",
    ],
    transportValidation: ["test/core/listener.test.ts", "with allowHTTP1 false serves only HTTP/2"],
    remoteResolver: [client, "remoteResolver finds what is not mounted"],
    outgoingInterceptors: [client, "outgoingInterceptors are around local and remote calls"],
    enabledServices: [client, "enabledServices mounts these, and the rest counts as remote"],
    eventBus: [server, "the event bus starts before listening, stops after the drain"],
    logger: [every, "logger hears of errors that clients only see as internal error"],
    "shutdown.autoShutdown": [
      "test/core/stop-signals.test.ts",
      "a signal stops the server and its handler is removed afterwards",
    ],
    "shutdown.signals": [stop, "a second signal ends the drain at once"],
    "shutdown.timeout": [stop, "a handler that ignores everything is cut at timeout"],
    "shutdown.drainDelayMs": [stop, "for drainDelayMs everything is still served"],
    "shutdown.abortGraceMs": [stop, "what still runs late is aborted with unavailable"],
    "shutdown.forceCloseOnTimeout": [stop, "with forceCloseOnTimeout false it is waited for"],
    "shutdown.hookTimeoutMs": [
      "test/core/shutdown-hooks.test.ts",
      "a hook that hangs is named once hookTimeoutMs is over",
    ],
    "tls.key": [tls, "answers "],
    "tls.cert": [tls, "answers "],
    "tls.ca": [tls, "clientAuth require serves only clients with a certificate of the CA"],
    "tls.keyPath": ["test/core/tls-options.test.ts", "keyPath, certPath and caPath are read"],
    "tls.certPath": ["test/core/tls-options.test.ts", "keyPath, certPath and caPath are read"],
    "tls.caPath": ["test/core/tls-options.test.ts", "keyPath, certPath and caPath are read"],
    "tls.dirPath": [tls, "reads a directory, and names the file and the reason when it cannot"],
    "tls.clientAuth": [tls, "clientAuth require serves only clients with a certificate of the CA"],
    "tls.minVersion": ["test/core/tls-options.test.ts", "minVersion refuses older clients"],
    "tls.reload": [
      "test/core/tls-reload.test.ts",
      "false never looks at the files again, unlike the default",
    ],
    "compression.accept": [every, "compression.accept: only what is listed is offered and taken"],
    "compression.minBytes": [every, "compression.minBytes: smaller answers go out as they are"],
    "keepalive.intervalMs": [lifetime, "keeps a client that answers"],
    "keepalive.timeoutMs": [
      lifetime,
      "pings a client that is silent for intervalMs and closes it timeoutMs later",
    ],
    "floodLimits.resetsPerSecond": [`${bad}/floods.test.ts`, floodLimits],
    "floodLimits.pingsPerSecond": [`${bad}/floods.test.ts`, floodLimits],
    "floodLimits.settingsPerSecond": [`${bad}/floods.test.ts`, floodLimits],
    "cors.origins": [cors, "origins may be "],
    "cors.allowedHeaders": [
      cors,
      "a preflight is answered for the protocols and for headers of one's own",
    ],
    "cors.exposedHeaders": [cors, "answers, errors and refusals can be read by the page"],
    "cors.credentials": [cors, "answers, errors and refusals can be read by the page"],
    "cors.maxAgeSeconds": [
      cors,
      "a preflight is answered for the protocols and for headers of one's own",
    ],
  },
  createLocalTransport: {
    interceptors: [
      "test/core/local-transport.test.ts",
      "client interceptors of createLocalTransport wrap the call",
    ],
  },
  "server.client": {
    endpoint: [client, "remoteResolver finds what is not mounted"],
  },
  callOptions: {
    timeoutMs: [
      "test/core/client/nested-calls.test.ts",
      "has a shorter limit of its own, but never a longer one",
    ],
    headers: [
      "test/core/client/nested-calls.test.ts",
      "gets the inbound headers that are named, and no others",
    ],
  },
  defineService: {
    connect: [serviceOptions, "false takes the service out of that protocol, and no other"],
    grpc: [serviceOptions, "false takes the service out of that protocol, and no other"],
    grpcWeb: [serviceOptions, "false takes the service out of that protocol, and no other"],
    interceptors: [serviceOptions, "interceptors run for its calls alone"],
    jsonOptions: [serviceOptions, "jsonOptions decide how JSON is read"],
    binaryOptions: [serviceOptions, "binaryOptions decide how messages are read"],
    readMaxBytes: [serviceOptions, "readMaxBytes and writeMaxBytes limit its messages"],
    writeMaxBytes: [serviceOptions, "readMaxBytes and writeMaxBytes limit its messages"],
    maxTimeoutMs: [serviceOptions, "maxTimeoutMs shortens a longer deadline"],
    acceptCompression: [serviceOptions, "acceptCompression is all it reads and writes"],
    compressMinBytes: [serviceOptions, "compressMinBytes: smaller answers go out as they are"],
  },
  dnsResolver: {
    template: [client, "dnsResolver fills its template and hands it to createTransport"],
    createTransport: [client, "dnsResolver fills its template and hands it to createTransport"],
  },
  perServiceEnvResolver: {
    createTransport: [
      "test/core/client/resolvers.test.ts",
      "has a transport where the variable is set and not empty",
    ],
    env: [
      "test/core/client/resolvers.test.ts",
      "has a transport where the variable is set and not empty",
    ],
  },
};
