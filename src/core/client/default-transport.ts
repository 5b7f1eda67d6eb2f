import type { ConnectError, Transport } from "@connectrpc/connect";

interface Connection {
  readonly transport: Transport;
  close(reason: ConnectError): void;
}

/**
 * gRPC over HTTP/2 to one base URL. connect-node is imported at the first call, so that a server
 * without remote calls never loads it. The server it was resolved for closes it.
 */
export class DefaultTransport implements Transport {
  readonly baseUrl: string;
  #connection: Promise<Connection> | undefined;
  #closeReason: ConnectError | undefined;

  constructor(baseUrl: string) {
    this.baseUrl = baseUrl;
  }

  readonly unary: Transport["unary"] = async (...call) => {
    const { transport } = await this.#connect();
    return transport.unary(...call);
  };

  readonly stream: Transport["stream"] = async (...call) => {
    const { transport } = await this.#connect();
    return transport.stream(...call);
  };

  /** Ends calls under way and refuses new ones, both with `reason`. */
  close(reason: ConnectError): void {
    this.#closeReason = reason;
    this.#connection?.then(
      (connection) => connection.close(reason),
      () => {},
    );
  }

  async #connect(): Promise<Connection> {
    if (!this.#closeReason) {
      this.#connection ??= open(this.baseUrl);
      const connection = await this.#connection;
      if (!this.#closeReason) return connection;
    }
    throw this.#closeReason;
  }
}

/** Does no I/O. */
export function openDefaultTransport(baseUrl: string): DefaultTransport {
  return new DefaultTransport(baseUrl);
}

async function open(baseUrl: string): Promise<Connection> {
  const { createGrpcTransport, Http2SessionManager } = await import("@connectrpc/connect-node");
  const sessionManager = new Http2SessionManager(baseUrl);
  return {
    transport: createGrpcTransport({ baseUrl, sessionManager }),
    close: (reason) => sessionManager.abort(reason),
  };
}
