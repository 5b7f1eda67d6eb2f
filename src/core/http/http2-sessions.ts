import { constants, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";
import type { ResolvedFloodLimits } from "../connection-options.ts";
import type { Logger } from "../logger.ts";
import { guardAgainstFloods } from "./flood-guard.ts";
import { peerOf } from "./peer.ts";
import { SlowHeaders } from "./slow-headers.ts";

export interface SessionOptions {
  /** From accept to the client's SETTINGS, in milliseconds. */
  readonly handshakeTimeout: number;
  readonly keepalive: { readonly intervalMs: number; readonly timeoutMs: number } | undefined;
  readonly maxConnectionAgeMs: number | undefined;
  readonly maxConnectionAgeGraceMs: number | undefined;
  readonly maxConnectionIdleMs: number | undefined;
  readonly headersTimeoutMs: number;
  readonly floodLimits: ResolvedFloodLimits;
  readonly logger: Logger;
}

/** Longest wait for the acknowledgement that separates the two steps of a graceful GOAWAY. */
const GOAWAY_PING_MS = 1_000;

/** The HTTP/2 sessions of a server: it knows each one, so it can ask each one to leave. */
export class Http2Sessions {
  readonly #options: SessionOptions;
  readonly #sessions = new Map<ServerHttp2Session, TrackedSession>();
  #isDraining = false;
  #looking: NodeJS.Timeout | undefined;

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  /** `socket` carries the session; on TLS it is the encrypted one and is never written to. */
  add(session: ServerHttp2Session, socket: Socket): void {
    const tracked = new TrackedSession(session, socket, this.#options);
    this.#sessions.set(session, tracked);
    this.#lookForSlowHeaders();
    session.once("close", () => {
      this.#sessions.delete(session);
      tracked.release();
    });
    // A peer that breaks its own connection harms nobody else; Node closes the session.
    session.on("error", () => {});
    // An end that came together with the preface was seen by the socket and not by the session.
    socket.once("end", () => session.destroy());
    if (this.#isDraining) tracked.leave();
  }

  /** Asks every peer to leave; calls under way and those already sent are still served. */
  drain(): void {
    this.#isDraining = true;
    for (const tracked of this.#sessions.values()) tracked.leave();
  }

  destroy(): void {
    for (const session of this.#sessions.keys()) session.destroy();
  }

  /** One timer for all sessions, for as long as there are any. */
  #lookForSlowHeaders(): void {
    this.#looking ??= setInterval(() => {
      for (const { slowHeaders } of this.#sessions.values()) slowHeaders.look();
      if (this.#sessions.size > 0) return;
      clearInterval(this.#looking);
      this.#looking = undefined;
    }, SlowHeaders.intervalOf(this.#options.headersTimeoutMs)).unref();
  }
}

class TrackedSession {
  readonly slowHeaders: SlowHeaders;
  readonly #session: ServerHttp2Session;
  readonly #socket: Socket;
  readonly #timers = new Set<NodeJS.Timeout>();
  #keepaliveTimer: NodeJS.Timeout | undefined;
  #bytesSeen = 0;
  #isLeaving = false;

  constructor(session: ServerHttp2Session, socket: Socket, options: SessionOptions) {
    this.#session = session;
    this.#socket = socket;
    const silent = this.#after(options.handshakeTimeout, () => session.destroy());
    session.once("remoteSettings", () => {
      clearTimeout(silent);
      if (options.keepalive) this.#watch(options.keepalive);
    });
    this.slowHeaders = new SlowHeaders(session, socket, () => session.destroy());
    guardAgainstFloods(session, options.floodLimits, (limit) => {
      const { address } = peerOf(socket);
      options.logger.warn({ limit, address }, "HTTP/2 flood; the connection is closed");
      calm(session);
    });
    const { maxConnectionAgeMs, maxConnectionAgeGraceMs, maxConnectionIdleMs } = options;
    if (maxConnectionAgeMs !== undefined) {
      this.#after(withJitter(maxConnectionAgeMs), () => {
        this.leave();
        if (maxConnectionAgeGraceMs !== undefined) {
          this.#after(maxConnectionAgeGraceMs, () => session.destroy());
        }
      });
    }
    if (maxConnectionIdleMs !== undefined) this.#limitIdle(maxConnectionIdleMs);
  }

  /**
   * The graceful shutdown of RFC 9113, section 6.8: a GOAWAY that refuses nothing, one round trip in
   * which calls on their way arrive, then the GOAWAY with the real last stream.
   */
  leave(): void {
    const session = this.#session;
    if (this.#isLeaving || session.destroyed) return;
    this.#isLeaving = true;
    if (!announceGoaway(session, this.#socket)) {
      session.close();
      return;
    }
    const finish = () => {
      clearTimeout(timer);
      if (!session.destroyed) session.close();
    };
    const timer = this.#after(GOAWAY_PING_MS, finish);
    session.ping(finish);
  }

  release(): void {
    clearTimeout(this.#keepaliveTimer);
    for (const timer of this.#timers) clearTimeout(timer);
  }

  /** A peer that sent nothing for an interval is pinged; one that does not answer is gone. */
  #watch({ intervalMs, timeoutMs }: NonNullable<SessionOptions["keepalive"]>): void {
    const session = this.#session;
    const check = () => {
      // A session is destroyed a while before it tells so, and a PING on it would throw.
      if (session.destroyed) return;
      const { bytesRead } = this.#socket;
      const wasActive = bytesRead !== this.#bytesSeen;
      this.#bytesSeen = bytesRead;
      if (wasActive) {
        this.#keepaliveTimer = setTimeout(check, intervalMs);
        return;
      }
      this.#keepaliveTimer = setTimeout(() => session.destroy(), timeoutMs);
      session.ping(() => {
        clearTimeout(this.#keepaliveTimer);
        if (!session.destroyed) this.#keepaliveTimer = setTimeout(check, intervalMs);
      });
    };
    this.#bytesSeen = this.#socket.bytesRead;
    this.#keepaliveTimer = setTimeout(check, intervalMs);
  }

  #limitIdle(idleMs: number): void {
    let open = 0;
    let timer = this.#after(withJitter(idleMs), () => this.leave());
    this.#session.on("stream", (stream: ServerHttp2Stream) => {
      open++;
      clearTimeout(timer);
      stream.once("close", () => {
        open--;
        if (open === 0) timer = this.#after(withJitter(idleMs), () => this.leave());
      });
    });
  }

  #after(ms: number, action: () => void): NodeJS.Timeout {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      action();
    }, ms);
    this.#timers.add(timer);
    return timer;
  }
}

/** Ends a connection with GOAWAY ENHANCE_YOUR_CALM. */
function calm(session: ServerHttp2Session): void {
  session.destroy(new Error("HTTP/2 flood"), constants.NGHTTP2_ENHANCE_YOUR_CALM);
}

/** GOAWAY with the highest possible stream id and NO_ERROR. */
const GOAWAY_NOTICE = Buffer.from([0, 0, 8, 7, 0, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0]);

/**
 * Writes the first GOAWAY past the session: Node's own `goaway()` would make nghttp2 ignore the streams
 * that arrive next. The session writes whole frames, so what is written between them is a frame of its
 * own. On TLS that is not possible: writing on the socket beneath a session aborts the process.
 */
function announceGoaway(session: ServerHttp2Session, socket: Socket): boolean {
  if (session.encrypted || !socket.writable) return false;
  socket.write(GOAWAY_NOTICE);
  return true;
}

/** Spreads what would otherwise happen to many connections at once: plus or minus 10 %. */
function withJitter(ms: number): number {
  return ms * (0.9 + Math.random() * 0.2);
}
