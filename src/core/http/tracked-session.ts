import { constants, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import type { ResolvedFloodLimits } from "../connection-options.ts";
import type { Logger } from "../logger.ts";
import { type ConnectionLifetime, withJitter } from "./connection-lifetime.ts";
import { FloodGuard } from "./flood-guard.ts";
import type { FrameSink } from "./frame-sink.ts";
import { Keepalive, type KeepaliveTimes } from "./keepalive.ts";
import { LeaveNotice, STEP_LIMIT_MS } from "./leave-notice.ts";
import { peerOf, socketOf } from "./peer.ts";
import { SlowHeaders } from "./slow-headers.ts";
import { Timers } from "./timers.ts";

export interface SessionOptions extends ConnectionLifetime {
  /** From accept to the client's SETTINGS, in milliseconds. */
  readonly handshakeTimeout: number;
  readonly keepalive: KeepaliveTimes | undefined;
  readonly headersTimeoutMs: number;
  readonly floodLimits: ResolvedFloodLimits;
  readonly logger: Logger;
}

/** How long a connection that is ended for a flood stays open after the GOAWAY. */
const CALM_MS = 20;

/** Where listeners find the session they belong to: no closures for each, idle connections are many. */
const tracked = Symbol("connectum session");

interface OwnedSession extends ServerHttp2Session {
  [tracked]: TrackedSession;
}

interface OwnedStream extends ServerHttp2Stream {
  [tracked]: TrackedSession;
}

/** A session whose client can be asked to leave; age and idleness ask by themselves. */
export class TrackedSession {
  readonly slowHeaders: SlowHeaders;
  readonly #session: OwnedSession;
  readonly #sink: FrameSink;
  readonly #options: SessionOptions;
  readonly #floods: FloodGuard;
  #keepalive: Keepalive | undefined;
  #handshakeTimer: NodeJS.Timeout | undefined;
  #idleTimer: NodeJS.Timeout | undefined;
  /** All others, which few sessions ever have. */
  #timers: Timers | undefined;
  #openStreams = 0;
  /** Frames of ours may follow: the session has begun to write. */
  #isReady = false;
  #isLeaving = false;
  #notice: LeaveNotice | undefined;
  /** The GOAWAY with the last stream is sent; nghttp2 ignores what arrives now. */
  #isEnding = false;

  constructor(session: ServerHttp2Session, sink: FrameSink, options: SessionOptions) {
    this.#session = session as OwnedSession;
    this.#session[tracked] = this;
    this.#sink = sink;
    this.#options = options;
    const { handshakeTimeout, maxConnectionAgeMs, floodLimits } = options;
    // Node calls it when the client says GOAWAY, and some releases then destroy the session as soon as
    // nghttp2 has seen the end of the last stream, with that end still unsent.
    session.close = closeGently;
    this.#handshakeTimer = setTimeout(() => session.destroy(), handshakeTimeout);
    this.slowHeaders = new SlowHeaders(session, sink);
    this.#floods = new FloodGuard(floodLimits, sink);
    session.on("remoteSettings", onSettings);
    session.on("ping", onPing);
    session.on("stream", onStream);
    if (maxConnectionAgeMs !== undefined) {
      this.#after(withJitter(maxConnectionAgeMs), () => this.#growOld());
    }
    this.#startIdling();
  }

  /**
   * The graceful shutdown of RFC 9113, section 6.8: a GOAWAY that refuses nothing, one round trip in
   * which calls on their way arrive, then the GOAWAY with the real last stream.
   */
  leave(): void {
    if (this.#isLeaving) return;
    this.#isLeaving = true;
    if (this.#isReady) this.#announce();
    else this.#after(STEP_LIMIT_MS, () => this.end());
  }

  /** Sends the GOAWAY with the last stream; the session closes when all that came until now is served. */
  end(): void {
    const session = this.#session;
    if (this.#isEnding || session.destroyed) return;
    this.#isEnding = true;
    session.goaway(constants.NGHTTP2_NO_ERROR);
    if (this.#openStreams === 0) this.#closeSoon();
  }

  hearSettings(): void {
    this.#endFlood(this.#floods.onSettings());
    if (this.#handshakeTimer === undefined) return;
    clearTimeout(this.#handshakeTimer);
    this.#handshakeTimer = undefined;
    const { keepalive } = this.#options;
    if (keepalive) this.#keepalive = new Keepalive(this.#session, this.#sink, keepalive);
    // Our own SETTINGS have to be the first frame; they are written at the end of this turn.
    setImmediate(() => {
      this.#isReady = true;
      if (this.#isLeaving) this.#announce();
    });
  }

  hearPing(): void {
    this.#endFlood(this.#floods.onPing());
  }

  hearStream(stream: ServerHttp2Stream): void {
    this.slowHeaders.onHeaders(stream);
    this.#openStreams++;
    clearTimeout(this.#idleTimer);
    (stream as OwnedStream)[tracked] = this;
    stream.on("close", onStreamClose);
    if (this.#openStreams === 1) this.#notice?.hearLoneCall();
  }

  hearStreamClose(stream: ServerHttp2Stream): void {
    this.#endFlood(this.#floods.onStreamClose(stream));
    this.#openStreams--;
    if (this.#openStreams > 0) return;
    if (this.#isEnding) this.#closeSoon();
    else this.#startIdling();
  }

  release(): void {
    this.#keepalive?.release();
    clearTimeout(this.#handshakeTimer);
    clearTimeout(this.#idleTimer);
    this.#notice?.release();
    this.#timers?.clear();
  }

  #endFlood(limit: keyof ResolvedFloodLimits | undefined): void {
    if (limit === undefined) return;
    const { address } = peerOf(socketOf(this.#session));
    this.#options.logger.warn({ limit, address }, "HTTP/2 flood; the connection is closed");
    // Not at once: this is told from within a stream that closes, and a session that is ended while
    // it works through its streams can bring down the process.
    setImmediate(() => this.#calm());
  }

  /** Says why the connection ends, and gives that frame a moment to get out. */
  #calm(): void {
    const session = this.#session;
    if (session.destroyed) return;
    session.goaway(constants.NGHTTP2_ENHANCE_YOUR_CALM);
    // Not the session: to clients whose other streams it resets that would look like an end without error.
    this.#after(CALM_MS, () => socketOf(session)?.destroy());
  }

  #announce(): void {
    if (this.#session.destroyed) return;
    this.#notice = new LeaveNotice(this.#session, this.#sink, () => this.end());
  }

  /** Not at once: what the last stream wrote goes out at the end of this turn. */
  #closeSoon(): void {
    const session = this.#session;
    setImmediate(() => {
      if (!session.destroyed) Object.getPrototypeOf(session).close.call(session);
    });
  }

  #growOld(): void {
    this.leave();
    const { maxConnectionAgeGraceMs } = this.#options;
    if (maxConnectionAgeGraceMs === undefined) return;
    this.#after(maxConnectionAgeGraceMs, () => socketOf(this.#session)?.destroy());
  }

  #startIdling(): void {
    const { maxConnectionIdleMs } = this.#options;
    if (maxConnectionIdleMs === undefined) return;
    this.#idleTimer = setTimeout(() => this.leave(), withJitter(maxConnectionIdleMs));
  }

  #after(ms: number, action: () => void): void {
    this.#timers ??= new Timers();
    this.#timers.after(ms, action);
  }
}

function closeGently(this: ServerHttp2Session): void {
  (this as OwnedSession)[tracked].end();
}

function onSettings(this: ServerHttp2Session): void {
  (this as OwnedSession)[tracked].hearSettings();
}

function onPing(this: ServerHttp2Session): void {
  (this as OwnedSession)[tracked].hearPing();
}

function onStream(this: ServerHttp2Session, stream: ServerHttp2Stream): void {
  (this as OwnedSession)[tracked].hearStream(stream);
}

function onStreamClose(this: ServerHttp2Stream): void {
  (this as OwnedStream)[tracked].hearStreamClose(this);
}
