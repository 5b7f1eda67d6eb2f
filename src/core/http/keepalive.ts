import type { ServerHttp2Session } from "node:http2";

export interface KeepaliveTimes {
  readonly intervalMs: number;
  readonly timeoutMs: number;
}

/**
 * Pings the peer every interval and destroys the session of one that neither answers nor sends anything
 * else within the timeout.
 */
export class Keepalive {
  readonly #session: ServerHttp2Session;
  readonly #connection: { readonly bytesRead: number };
  readonly #times: KeepaliveTimes;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    session: ServerHttp2Session,
    connection: { readonly bytesRead: number },
    times: KeepaliveTimes,
  ) {
    this.#session = session;
    this.#connection = connection;
    this.#times = times;
    this.#waitForInterval();
  }

  release(): void {
    clearTimeout(this.#timer);
  }

  #waitForInterval(): void {
    this.#timer = setTimeout(() => this.#ping(), this.#times.intervalMs);
  }

  #ping(): void {
    const session = this.#session;
    // Destroyed, but not closed yet.
    if (session.destroyed) return;
    this.#waitForAnswer();
    session.ping((error) => {
      if (error || session.destroyed) return;
      clearTimeout(this.#timer);
      this.#waitForInterval();
    });
  }

  /** The answer of a peer that sends a lot stands in a queue; what arrives before it is a sign of life. */
  #waitForAnswer(): void {
    const { bytesRead } = this.#connection;
    this.#timer = setTimeout(() => {
      if (this.#connection.bytesRead === bytesRead) this.#session.destroy();
      else this.#waitForAnswer();
    }, this.#times.timeoutMs);
  }
}
