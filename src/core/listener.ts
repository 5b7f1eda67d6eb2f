import type * as http from "node:http";
import type * as http2 from "node:http2";
import type * as net from "node:net";
import type * as tls from "node:tls";
import { ConnectumError } from "./errors.ts";
import { createFrameSink } from "./http/create-frame-sink.ts";
import { Http1Connections } from "./http/http1-connections.ts";
import { createHttp1Server } from "./http/http1-server.ts";
import { createHttp2Server } from "./http/http2-server.ts";
import { Http2Sessions } from "./http/http2-sessions.ts";
import { linkSocket } from "./http/peer.ts";
import { StallClock } from "./http/stall-clock.ts";
import { TLSSink } from "./http/tls-sink.ts";
import { createPlainFront, type FrontHandler } from "./plain-front.ts";
import type { RequestHandler } from "./request-handler.ts";
import type { ResolvedOptions } from "./resolve-options.ts";
import { reloadInterval } from "./tls.ts";
import { createTlsFront } from "./tls-front.ts";
import { TLSReloader } from "./tls-reload.ts";

/** How long a connection that said nothing yet stays open in a drain: its first call may be on the way. */
const SILENT_PATIENCE_MS = 1_000;

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
    const clock = new StallClock(options);
    this.#http1 = createHttp1Server(options, handler, clock, this.#connections);
    this.#http2 = createHttp2Server(options, handler, clock);
    this.front = this.#createFront(options);
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

  /**
   * Destroys every socket, whatever runs on it. Not the sessions: they would tell each stream that it
   * ended without an error, and some clients then wait for ever.
   */
  destroy(): void {
    this.#isDestroyed = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  #createFront(options: ResolvedOptions): net.Server | tls.Server {
    const handler: FrontHandler = {
      onAccept: (socket) => this.#own(socket),
      onHttp: (accepted, socket, isHttp2) => this.#serve(accepted, socket, isHttp2),
      onMistake: (message) => this.#warnOnce(message),
    };
    if (!options.tls) return createPlainFront(options, handler);
    const front = createTlsFront(options.tls, options, handler);
    const intervalMs = reloadInterval(options.tls);
    if (intervalMs !== undefined) {
      this.#reloader = new TLSReloader(options.tls, front, options.logger, intervalMs);
    }
    return front;
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
    socket.on("close", () => {
      this.#sockets.delete(socket);
      this.#undecided.delete(socket);
    });
    // Without a listener a reset before any HTTP server took the socket would crash the process.
    socket.on("error", ignore);
  }

  /** `accepted` is the socket {@link #own} knows, `socket` the one that carries plain HTTP. */
  #serve(accepted: net.Socket | undefined, socket: net.Socket, isHttp2: boolean): void {
    if (accepted) this.#undecided.delete(accepted);
    if (!isHttp2) {
      this.#connections.add(socket);
      this.#http1.emit("connection", socket);
      return;
    }
    const sink = createFrameSink(socket);
    const onSession = (session: http2.ServerHttp2Session) => {
      linkSocket(session, socket);
      this.#sessions.add(session, sink);
    };
    this.#http2.once("session", onSession);
    this.#http2.emit("connection", sink instanceof TLSSink ? sink : socket);
    this.#http2.off("session", onSession);
  }
}

function ignore(): void {}

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
