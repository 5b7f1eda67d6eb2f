import type { ServerHttp2Session } from "node:http2";
import type { FrameSink } from "./frame-sink.ts";
import { SlowHeaders } from "./slow-headers.ts";
import { type SessionOptions, TrackedSession } from "./tracked-session.ts";

/** The HTTP/2 sessions of a server: it knows each one, so it can ask each one to leave. */
export class Http2Sessions {
  readonly #options: SessionOptions;
  readonly #sessions = new Map<ServerHttp2Session, TrackedSession>();
  #looking: NodeJS.Timeout | undefined;
  #isDraining = false;

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  /** `sink` is what the session writes its frames to. */
  add(session: ServerHttp2Session, sink: FrameSink): void {
    const tracked = new TrackedSession(session, sink, this.#options);
    this.#sessions.set(session, tracked);
    this.#lookForSlowHeaders();
    session.on("close", () => {
      this.#sessions.delete(session);
      tracked.release();
    });
    // A peer that breaks its own connection harms nobody else; Node closes the session.
    session.on("error", ignore);
    if (this.#isDraining) tracked.leave();
  }

  /** Asks every peer to leave; calls under way and those already sent are still served. */
  drain(): void {
    this.#isDraining = true;
    for (const tracked of this.#sessions.values()) tracked.leave();
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

function ignore(): void {}
