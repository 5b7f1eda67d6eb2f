import type { ServerHttp2Session } from "node:http2";
import { PING_BYTES } from "./flood-guard.ts";
import type { FrameSink } from "./frame-sink.ts";
import { Timers } from "./timers.ts";

/** Longest wait for either step of a graceful GOAWAY, whatever the client does. */
export const STEP_LIMIT_MS = 1_000;

/** How long the notice waits for nothing but a round trip in which nothing went to the client. */
const PATIENCE_MS = 250;

/** How long until a connection that was busy with a write is looked at again. */
const BUSY_MS = 5;

/** GOAWAY with the highest possible stream id and NO_ERROR: it refuses nothing. */
const GOAWAY_NOTICE = Buffer.from([0, 0, 8, 7, 0, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0]);

/**
 * The first GOAWAY of a graceful shutdown, which asks the client to leave, and the round trip after it in
 * which calls on their way arrive. Then `onHeard` runs; more than once, if time runs out as well.
 *
 * A client that reads an answer and the GOAWAY behind it at once may begin its next call in between, and
 * common HTTP/2 stacks fail that call before they send it. So the notice follows a round trip in which
 * nothing went to the client. Where there is none, as with one call after the other on a slow network, it
 * goes ahead of an answer: a client that begins a call when it has no other has read the last one.
 */
export class LeaveNotice {
  readonly #session: ServerHttp2Session;
  readonly #sink: FrameSink;
  readonly #onHeard: () => void;
  readonly #timers = new Timers();
  /** No quiet round trip came; a call that comes alone will do. */
  #isImpatient = false;
  #isTried = false;
  #isSent = false;

  constructor(session: ServerHttp2Session, sink: FrameSink, onHeard: () => void) {
    this.#session = session;
    this.#sink = sink;
    this.#onHeard = onHeard;
    this.#timers.after(PATIENCE_MS, () => {
      this.#isImpatient = true;
    });
    this.#timers.after(STEP_LIMIT_MS, () => this.#send());
    this.#sendWhenQuiet();
  }

  /** A call has begun, and the client has no other. */
  hearLoneCall(): void {
    if (this.#isImpatient) this.#send();
  }

  release(): void {
    this.#timers.clear();
  }

  #sendWhenQuiet(): void {
    const before = this.#sink.bytesWritten;
    this.#ping(() => {
      if (this.#sink.bytesWritten - before <= PING_BYTES) this.#send();
      else if (!this.#isSent) this.#sendWhenQuiet();
    });
  }

  /** Writes it past the session: Node's `goaway()` makes nghttp2 ignore what arrives next. */
  #send(): void {
    if (this.#isSent || this.#session.destroyed) return;
    if (!this.#isTried) {
      this.#isTried = true;
      this.#timers.after(STEP_LIMIT_MS, this.#onHeard);
    }
    const outcome = this.#sink.writeFrame(GOAWAY_NOTICE);
    if (outcome === "impossible") this.#onHeard();
    else if (outcome === "written") {
      this.#isSent = true;
      this.#ping(this.#onHeard);
    } else this.#timers.after(BUSY_MS, () => this.#send());
  }

  #ping(onAnswer: () => void): void {
    if (this.#session.destroyed) return;
    this.#session.ping((error) => {
      if (!error) onAnswer();
    });
  }
}
