import { Agent } from "node:http";
import { Agent as TlsAgent } from "node:https";
import type { AddressInfo } from "node:net";
import type { ConnectionOptions } from "node:tls";
import type { Interceptor, Transport } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
  Http2SessionManager,
} from "@connectrpc/connect-node";
import {
  type CreateServerOptions,
  createLocalTransport,
  createServer,
  type Server,
  ServerState,
} from "../core/index.ts";

/**
 * The options of `createServer`. Port and host default to a free port on the loopback, the time that
 * calls get when it stops, `shutdown.timeout`, to 5 000 ms.
 */
export interface TestServerOptions extends Omit<CreateServerOptions, "services"> {
  /** Default none. */
  readonly services?: CreateServerOptions["services"];
  /** The context of a test, such as node:test's: the server is closed when the test ends. */
  readonly t?: { after(close: () => Promise<void>): unknown };
  /**
   * TLS options of the transports, such as the `ca`, `key` and `cert` of `createTestCertificates()`.
   * Default: with `tls` any certificate of the server is trusted.
   */
  readonly clientTls?: ConnectionOptions;
  /** Of every transport, outermost first. Default none. */
  readonly clientInterceptors?: readonly Interceptor[];
}

/** One transport for each way to call a server. They connect when they are used. */
export interface TestTransports {
  /** HTTP/2, or HTTP/1.1 where `allowHTTP2` is false. */
  readonly connect: Transport;
  readonly connectHttp1: Transport;
  readonly grpc: Transport;
  /** HTTP/2, or HTTP/1.1 where `allowHTTP2` is false. */
  readonly grpcWeb: Transport;
  readonly grpcWebHttp1: Transport;
  /** In process. */
  readonly local: Transport;
}

export interface TestServer extends AsyncDisposable {
  readonly server: Server;
  /** gRPC, or the first other protocol that is switched on. */
  readonly transport: Transport;
  readonly transports: TestTransports;
  readonly baseUrl: string;
  readonly port: number;
  /** Closes the connections of the transports and stops the server. */
  close(): Promise<void>;
}

/** Starts a server for a test. Rejects as `server.start()` does. */
export async function createTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  const {
    t,
    services = [],
    clientTls = { rejectUnauthorized: false },
    clientInterceptors = [],
    ...serverOptions
  } = options;
  const server = createServer({
    ...serverOptions,
    services,
    port: options.port ?? 0,
    host: options.host ?? "127.0.0.1",
    shutdown: { timeout: 5_000, ...options.shutdown },
  });
  await server.start();
  const { port } = server.address as AddressInfo;
  const baseUrl = `${options.tls ? "https" : "http"}://127.0.0.1:${port}`;
  const nodeOptions = options.tls ? clientTls : {};
  const sessions = new Http2SessionManager(baseUrl, undefined, nodeOptions);
  const interceptors = [...clientInterceptors];
  const http2 = { baseUrl, interceptors, sessionManager: sessions, nodeOptions };
  // Its own, so that close() need not wait for idle connections to be found out.
  const agent = new (options.tls ? TlsAgent : Agent)({ ...nodeOptions, keepAlive: true });
  const http1 = { baseUrl, interceptors, httpVersion: "1.1", nodeOptions: { agent } } as const;
  const anyHttp = options.allowHTTP2 === false ? http1 : ({ ...http2, httpVersion: "2" } as const);
  const transports: TestTransports = {
    connect: createConnectTransport(anyHttp),
    connectHttp1: createConnectTransport(http1),
    grpc: createGrpcTransport(http2),
    grpcWeb: createGrpcWebTransport(anyHttp),
    grpcWebHttp1: createGrpcWebTransport(http1),
    local: createLocalTransport(server, { interceptors }),
  };
  const close = async () => {
    sessions.abort();
    agent.destroy();
    if (server.state === ServerState.RUNNING || server.state === ServerState.STOPPING) {
      await server.stop();
    }
  };
  t?.after(close);
  return {
    server,
    transport: transports[firstProtocol(options)],
    transports,
    baseUrl,
    port,
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Starts a server, hands it to `use`, and closes it whatever happens. */
export async function withTestServer<T>(
  options: TestServerOptions,
  use: (testServer: TestServer) => T | Promise<T>,
): Promise<T> {
  const testServer = await createTestServer(options);
  try {
    return await use(testServer);
  } finally {
    await testServer.close();
  }
}

function firstProtocol({ grpc = true, connect = true, allowHTTP2 = true }: TestServerOptions) {
  if (grpc && allowHTTP2) return "grpc";
  return connect ? "connect" : "grpcWeb";
}
