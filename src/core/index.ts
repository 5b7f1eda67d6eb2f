export type { CreateTransport } from "./client/base-url.ts";
export { callOptions, type OutgoingCallOptions } from "./client/call-options.ts";
export { CatalogConfigError } from "./client/catalog-config-error.ts";
export type { ServerClientOptions } from "./client/client-router.ts";
export { type DnsResolverOptions, dnsResolver } from "./client/dns-resolver.ts";
export { mapResolver } from "./client/map-resolver.ts";
export {
  type PerServiceEnvResolverOptions,
  perServiceEnvResolver,
} from "./client/per-service-env-resolver.ts";
export type { RemoteResolver, ResolverContext } from "./client/remote-resolver.ts";
export { singleTransportResolver } from "./client/single-transport-resolver.ts";
export type { CompressionOptions } from "./compression.ts";
export type { FloodLimits, KeepaliveOptions } from "./connection-options.ts";
export {
  type Peer,
  type PeerCertificate,
  peerKey,
  requestIdKey,
  transportKey,
} from "./context-keys.ts";
export { createServer } from "./create-server.ts";
export {
  defineLazyService,
  defineService,
  type ServiceDefinition,
  type ServiceOptions,
  type ServiceRoute,
} from "./define-service.ts";
export { ConnectumError, type ConnectumErrorCode } from "./errors.ts";
export {
  type AttachContext,
  extendInterceptor,
  type GateContext,
  type InterceptorExtension,
} from "./extend-interceptor.ts";
export type { CorsOptions } from "./http/cors.ts";
export { LifecycleEvent, type LifecycleListener, ServerState } from "./lifecycle.ts";
export {
  createLocalTransport,
  type LocalTransportOptions,
} from "./local/create-local-transport.ts";
export type { Logger } from "./logger.ts";
export type { CreateServerOptions, EventBusLike } from "./options.ts";
export type {
  HttpHandler,
  NodeRequest,
  NodeResponse,
  ProtocolContext,
  ProtocolRegistration,
} from "./protocol.ts";
export type { Server } from "./server.ts";
export type { ShutdownHook } from "./shutdown-hooks.ts";
export type { ShutdownOptions } from "./shutdown-options.ts";
export { readTLSCertificates, type TLSCertificates, type TLSOptions } from "./tls.ts";
