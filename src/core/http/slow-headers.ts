import type { ServerHttp2Session, ServerHttp2Stream } from "node:http2";

/** Looks per timeout; a slow header block is noticed after 1 to 1.5 times the timeout. */
const LOOKS = 4;

/**
 * Ends HTTP/2 clients that begin a header block and do not end it, which Node waits for without limit.
 * The session knows the last stream whose headers began, `stream` tells the last one whose headers came.
 * Where the two differ the client is asked with a PING: no frame may stand inside a header block, so an
 * answer means that the block is over, and was refused.
 */
export class SlowHeaders {
  readonly #session: ServerHttp2Session;
  readonly #connection: { readonly bytesRead: number };
  #bytesSeen = 0;
  #completeId = 0;
  #openId = 0;
  #looks = 0;

  constructor(session: ServerHttp2Session, connection: { readonly bytesRead: number }) {
    this.#session = session;
    this.#connection = connection;
  }

  /** The header block of a stream has come. */
  onHeaders(stream: ServerHttp2Stream): void {
    this.#completeId = stream.id as number;
  }

  /** To be called every {@link intervalOf} milliseconds. */
  look(): void {
    if (this.#session.destroyed) return;
    const { bytesRead } = this.#connection;
    const isSuspected = this.#openId > this.#completeId;
    if (bytesRead === this.#bytesSeen && !isSuspected) return;
    this.#bytesSeen = bytesRead;
    const { lastProcStreamID: begun = 0 } = this.#session.state;
    if (begun <= this.#completeId) return;
    if (begun !== this.#openId) {
      this.#openId = begun;
      this.#looks = 0;
      this.#ask(begun);
    } else if (++this.#looks > LOOKS) {
      this.#session.destroy();
    }
  }

  #ask(id: number): void {
    this.#session.ping((error) => {
      if (!error) this.#completeId = Math.max(this.#completeId, id);
    });
  }

  static intervalOf(headersTimeoutMs: number): number {
    return Math.ceil(headersTimeoutMs / LOOKS);
  }
}
