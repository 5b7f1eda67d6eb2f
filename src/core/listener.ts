import * as http from "node:http";
import * as http2 from "node:http2";
import * as net from "node:net";
import * as tls from "node:tls";
import { ConnectumError } from "./errors.ts";
import type { Exchange } from "./http/exchange.ts";
import { Http1Connections } from "./http/http1-connections.ts";
import { Http1Exchange } from "./http/http1-exchange.ts";
import { Http2Exchange } from "./http/http2-exchange.ts";
import { Http2Sessions } from "./http/http2-sessions.ts";
import { linkSocket, socketOf } from "./http/peer.ts";
import { readPreface } from "./http/preface.ts";
import { SocketSink } from "./http/socket-sink.ts";
import { TLSSink } from "./http/tls-sink.ts";
import type { ResolvedOptions } from "./options.ts";
import type { NodeRequest, NodeResponse } from "./protocol.ts";
import { readTLSCertificates, reloadInterval, secureContextOptions } from "./tls.ts";
import { TLSReloader } from "./tls-reload.ts";

/** How long a connection that said nothing yet stays open in a drain: its first call may be on the way. */
const SILENT_PATIENCE_MS = 1_000;

/** Longer than the idle time of common load balancers, so that they close first and never race us. */
const KEEP_ALIVE_MS = 75_000;

/** What the listener hands requests to. */
export interface RequestHandler {
  /** Whether a request for this target is an RPC. */
  claims(target: string): boolean;
  serve(exchange: Exchange): void;
  /** Answers everything else. */
  serveHttp(request: NodeRequest, response: NodeResponse): void;
}

/**
 * One port for HTTP/1.1 and HTTP/2: by the first bytes on plaintext, by ALPN on TLS. A front server
 * accepts, an inner server per HTTP version serves; the inner ones never listen. The listener owns
 * every socket and session until it is closed.
 */
export class Listener {
  readonly front: net.Server | tls.Server;
  readonly #options: ResolvedOptions;
  readonly #http1: http.Server;
  readonly #http2: http2.Http2Server;
  /** Every accepted socket, until it closes. */
  readonly #sockets = new Set<net.Socket>();
  /** Those of them that no HTTP server has taken yet. */
  readonly #undecided = new Set<net.Socket>();
  readonly #connections: Http1Connections;
  readonly #sessions: Http2Sessions;
  readonly #warned = new Set<string>();
  #reloader: TLSReloader | undefined;
  #isDestroyed = false;

  constructor(options: ResolvedOptions, handler: RequestHandler) {
    this.#options = options;
    this.#connections = new Http1Connections(options);
    this.#sessions = new Http2Sessions(options);
    this.#http1 = this.#createHttp1(handler);
    this.#http2 = this.#createHttp2(handler);
    this.front = options.tls ? this.#createTlsFront(options.tls) : this.#createPlainFront();
  }

  /** Rejects LISTEN_FAILED naming the address and the reason. */
  async listen(): Promise<void> {
    const { path, host, port } = this.#options;
    const where = path ?? `${host}:${port}`;
    await new Promise<void>((resolve, reject) => {
      const onError = (error: NodeJS.ErrnoException) => {
        reject(
          new ConnectumError("LISTEN_FAILED", `cannot listen on ${where}: ${reasonOf(error)}`, {
            cause: error,
          }),
        );
      };
      this.front.once("error", onError);
      this.front.listen(path !== undefined ? { path } : { host, port }, () => {
        this.front.off("error", onError);
        resolve();
      });
    });
    // Node runs its connection checks from this event only, and an inner server never listens.
    this.#http1.emit("listening");
    await this.#reloader?.start();
  }

  /** Whether HTTP/1.1 answers carry `Connection: close`; everything is still served. */
  announceClose(isClosing: boolean): void {
    this.#connections.announceClose(isClosing);
  }

  /** Stops accepting and asks every peer to leave. Resolves when the last socket is closed. */
  async drain(): Promise<void> {
    this.#reloader?.stop();
    // Closing the port resets connections that wait to be accepted. Right after the event loop has looked
    // for them there are fewest.
    await new Promise((resolve) => setImmediate(resolve));
    const closed = new Promise<void>((resolve) => {
      if (this.front.listening) this.front.close(() => resolve());
      else resolve();
    });
    this.#connections.drain();
    this.#sessions.drain();
    const patience = setTimeout(() => {
      for (const socket of this.#undecided) socket.destroy();
    }, SILENT_PATIENCE_MS);
    await closed;
    clearTimeout(patience);
    // An inner server answers ERR_SERVER_NOT_RUNNING, and stops its connection checks all the same.
    this.#http1.close(() => {});
  }

  /** Destroys every socket, whatever runs on it. */
  destroy(): void {
    this.#isDestroyed = true;
    this.#sessions.destroy();
    for (const socket of this.#sockets) socket.destroy();
  }

  #createHttp1(handler: RequestHandler): http.Server {
    const { maxConnectionIdleMs = KEEP_ALIVE_MS } = this.#options;
    const server = http.createServer({
      // A stream of requests may last as long as it likes.
      requestTimeout: 0,
      keepAliveTimeout: maxConnectionIdleMs,
    });
    server.on("request", (request, response) => {
      const isClosing = this.#connections.begin(request, response);
      if (handler.claims(request.url ?? "")) {
        handler.serve(new Http1Exchange(request, response, isClosing));
        return;
      }
      if (isClosing()) response.setHeader("Connection", "close");
      handler.serveHttp(request, response);
    });
    return server;
  }

  #createHttp2(handler: RequestHandler): http2.Http2Server {
    const { http2Options, maxConcurrentStreams } = this.#options;
    const server = http2.createServer({
      ...http2Options,
      settings: { maxConcurrentStreams, ...http2Options.settings },
    });
    const onStream = (
      stream: http2.ServerHttp2Stream,
      headers: http2.IncomingHttpHeaders,
      _flags: number,
      rawHeaders: string[],
    ) => {
      if (handler.claims(headers[":path"] ?? "")) {
        handler.serve(new Http2Exchange(stream, headers));
        return;
      }
      // Node builds these two for every stream that has a "request" listener; here only who needs them
      // pays for them.
      const request = new http2.Http2ServerRequest(stream, headers, {}, rawHeaders);
      const socket = socketOf(stream.session);
      if (socket instanceof tls.TLSSocket)
        Object.defineProperty(request, "socket", { value: socket });
      handler.serveHttp(request, new http2.Http2ServerResponse(stream));
    };
    server.on("stream", onStream as (...args: unknown[]) => void);
    return server;
  }

  #createPlainFront(): net.Server {
    const { allowHTTP1, allowHTTP2, handshakeTimeout } = this.#options;
    return net.createServer({ noDelay: true }, (socket) => {
      this.#own(socket);
      const silent = setTimeout(() => socket.destroy(), handshakeTimeout);
      socket.once("close", () => clearTimeout(silent));
      readPreface(socket, (language) => {
        clearTimeout(silent);
        const isAllowed = language === "http2" ? allowHTTP2 : language === "http1" && allowHTTP1;
        if (isAllowed) {
          this.#serve(socket, socket, language === "http2");
          return;
        }
        if (language === "tls") this.#warnOnce("a TLS client came to the plaintext port; use http");
        socket.destroy();
      });
    });
  }

  #createTlsFront(tlsOptions: NonNullable<ResolvedOptions["tls"]>): tls.Server {
    const { allowHTTP1, allowHTTP2, handshakeTimeout, http2Options } = this.#options;
    const { clientAuth = "none" } = tlsOptions;
    const server = tls.createServer({
      ...http2Options,
      ...secureContextOptions(tlsOptions, readTLSCertificates(tlsOptions)),
      requestCert: clientAuth !== "none",
      rejectUnauthorized: clientAuth === "require",
      handshakeTimeout,
      noDelay: true,
      ALPNProtocols: [...(allowHTTP2 ? ["h2"] : []), ...(allowHTTP1 ? ["http/1.1"] : [])],
    });
    server.on("connection", (socket: net.Socket) => this.#own(socket));
    server.on("tlsClientError", (error: NodeJS.ErrnoException, socket) => {
      if (isPlaintext(error)) this.#warnOnce("a plaintext client came to the TLS port; use https");
      this.#options.logger.debug({ err: error }, "TLS handshake failed");
      socket.destroy();
    });
    const intervalMs = reloadInterval(tlsOptions);
    if (intervalMs !== undefined) {
      this.#reloader = new TLSReloader(tlsOptions, server, this.#options.logger, intervalMs);
    }
    server.on("secureConnection", (socket) => {
      const isHttp2 = socket.alpnProtocol === "h2";
      // A client without ALPN speaks HTTP/1.1.
      if (isHttp2 || allowHTTP1) this.#serve(this.#acceptedOf(socket), socket, isHttp2);
      else socket.destroy();
    });
    return server;
  }

  /** Tells of a mistake that every attempt of a client would repeat. */
  #warnOnce(message: string): void {
    if (this.#warned.has(message)) return;
    this.#warned.add(message);
    this.#options.logger.warn({ address: this.front.address() }, message);
  }

  #own(socket: net.Socket): void {
    if (this.#isDestroyed) {
      socket.destroy();
      return;
    }
    this.#sockets.add(socket);
    this.#undecided.add(socket);
    socket.once("close", () => {
      this.#sockets.delete(socket);
      this.#undecided.delete(socket);
    });
    // Without a listener a reset before any HTTP server took the socket would crash the process.
    socket.on("error", () => {});
  }

  /** The accepted socket under a TLS socket, which Node links nowhere in public. */
  #acceptedOf({ remoteAddress, remotePort }: tls.TLSSocket): net.Socket | undefined {
    for (const socket of this.#undecided) {
      if (socket.remotePort === remotePort && socket.remoteAddress === remoteAddress) return socket;
    }
    return undefined;
  }

  /** `accepted` is the socket {@link #own} knows, `socket` the one that carries plain HTTP. */
  #serve(accepted: net.Socket | undefined, socket: net.Socket, isHttp2: boolean): void {
    if (accepted) this.#undecided.delete(accepted);
    if (!isHttp2) {
      this.#connections.add(socket);
      this.#http1.emit("connection", socket);
      return;
    }
    const sink = socket instanceof tls.TLSSocket ? new TLSSink(socket) : new SocketSink(socket);
    const onSession = (session: http2.ServerHttp2Session) => {
      linkSocket(session, socket);
      this.#sessions.add(session, sink);
    };
    this.#http2.once("session", onSession);
    this.#http2.emit("connection", sink instanceof TLSSink ? sink : socket);
    this.#http2.off("session", onSession);
  }
}

/** What OpenSSL calls bytes of HTTP, or of anything else, where a TLS record should be. */
function isPlaintext({ code }: NodeJS.ErrnoException): boolean {
  return code === "ERR_SSL_HTTP_REQUEST" || code === "ERR_SSL_WRONG_VERSION_NUMBER";
}

function reasonOf(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case "EADDRINUSE":
      return "the address is in use; stop the other process or choose another port (0 is any free one)";
    case "EACCES":
      return "permission denied; ports below 1024 need a privilege, choose a higher one";
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return "no such address on this machine; check the host option";
    default:
      return error.message;
  }
}
