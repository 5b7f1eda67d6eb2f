import type { SecureServerOptions } from "node:http2";
import type {
  BinaryReadOptions,
  BinaryWriteOptions,
  JsonReadOptions,
  JsonWriteOptions,
} from "@bufbuild/protobuf";
import type { Interceptor } from "@connectrpc/connect";
import type { RemoteResolver } from "./client/remote-resolver.ts";
import type { CompressionOptions } from "./compression.ts";
import type { FloodLimits, KeepaliveOptions } from "./connection-options.ts";
import type { ServiceDefinition, ServiceRoute } from "./define-service.ts";
import type { CorsOptions } from "./http/cors.ts";
import type { Logger } from "./logger.ts";
import type { ProtocolRegistration } from "./protocol.ts";
import type { ShutdownOptions } from "./shutdown-options.ts";
import type { TLSOptions } from "./tls.ts";

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
  /** Key and certificate of the port. Default: plaintext. */
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
  /** How the server stops: by which signals, in what time. */
  readonly shutdown?: ShutdownOptions;
  /**
   * From accept to a usable connection, in milliseconds: the TLS handshake, the first bytes of a
   * plaintext socket, the client's HTTP/2 settings. Default 30 000.
   */
  readonly handshakeTimeout?: number;
  /** Passed to node:http2 as they are; `maxSessionMemory` is without effective limit by default. */
  readonly http2Options?: Omit<SecureServerOptions, "allowHTTP1" | "key" | "cert" | "ca">;
  /** For all services; options of a service merge over them. */
  readonly jsonOptions?: Partial<JsonReadOptions & JsonWriteOptions>;
  /** Likewise. */
  readonly binaryOptions?: Partial<BinaryReadOptions & BinaryWriteOptions>;
  /** Largest message read, in bytes, once inflated. More is `resource_exhausted`. Default 4 MiB. */
  readonly readMaxBytes?: number;
  /** Largest message written, in bytes. More is `resource_exhausted`. Default 4 GiB - 1. */
  readonly writeMaxBytes?: number;
  /** What messages may be compressed with, in both directions, and from which size on. */
  readonly compression?: CompressionOptions;
  /** Longest deadline a client may set, in milliseconds; a longer one is shortened. Default: none. */
  readonly maxTimeoutMs?: number;
  /** Streams open at once on an HTTP/2 connection. Default 1000. */
  readonly maxConcurrentStreams?: number;
  /**
   * Largest header block of a request, in bytes, on both HTTP versions. More is answered 431 on
   * HTTP/1.1; on HTTP/2 the stream is reset with ENHANCE_YOUR_CALM. Default 16 KiB.
   */
  readonly maxHeaderBytes?: number;
  /**
   * How long a header block may take from its first byte, in milliseconds. Then HTTP/1.1 is answered
   * 408 and an HTTP/2 connection is closed. Default 10 000.
   */
  readonly headersTimeoutMs?: number;
  /**
   * How long a message of a request may stand still before it is complete, in milliseconds. Then the
   * call ends with `deadline_exceeded`. Waiting between the messages of a stream is no standstill,
   * nor is a handler that does not read. Default 30 000.
   */
  readonly bodyIdleTimeoutMs?: number;
  /**
   * How long a client may leave an answer unread, in milliseconds. Then the stream is reset, or the
   * HTTP/1.1 connection closed. A stream that has nothing to send is not held to it. Default 60 000.
   */
  readonly writeIdleTimeoutMs?: number;
  /** Default `{ resetsPerSecond: 200, pingsPerSecond: 100, settingsPerSecond: 20 }`. */
  readonly floodLimits?: FloodLimits;
  /** Lets pages of other origins call, over Connect and gRPC-Web. Default false. */
  readonly cors?: CorsOptions | false;
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
  /** Runs from before the server listens until after the drain. Default none. */
  readonly eventBus?: EventBusLike;
  /** The only way core speaks. Default: silent. */
  readonly logger?: Logger;
}
