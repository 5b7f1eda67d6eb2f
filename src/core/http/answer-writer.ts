import type { ServerResponse } from "node:http";
import type { ServerHttp2Stream } from "node:http2";
import type { StallClock, Watched } from "./stall-clock.ts";

type Sink = ServerResponse | ServerHttp2Stream;

/** What a client must read within the timeout to count as moving. */
export const PIECE_BYTES = 256 * 1024;

/**
 * Writes the body of an answer and notices a client that does not read it. A write completes as a
 * whole, so large messages go out in pieces: that makes their progress visible.
 */
export class AnswerWriter implements Watched {
  movedAt = 0;
  readonly #sink: Sink;
  readonly #clock: StallClock;
  readonly #owner: { onReaderStalled(): void };
  #pending = 0;
  #isWatched = false;
  /** What waits behind a message that is going out in pieces. */
  #queue: Uint8Array[] | undefined;
  #afterQueue: (() => void) | undefined;
  #onDrained: (() => void) | undefined;

  constructor(sink: Sink, clock: StallClock, owner: { onReaderStalled(): void }) {
    this.#sink = sink;
    this.#clock = clock;
    this.#owner = owner;
  }

  /** Begins to watch a sink that is written to past this writer. */
  watch(): void {
    if (this.#isWatched) return;
    this.#isWatched = true;
    this.#clock.watch(this);
  }

  /** False when the client reads slower than it is written to; then wait for {@link onceDrained}. */
  write(bytes: Uint8Array): boolean {
    this.watch();
    // Whoever writes waits for the client, so that there is more to write says that it moves.
    this.movedAt = this.#clock.now;
    if (this.#queue) {
      this.#queue.push(bytes);
      return false;
    }
    if (bytes.byteLength <= PIECE_BYTES) return this.#sink.write(bytes);
    this.#queue = [bytes];
    this.#writePiece();
    return false;
  }

  onceDrained(listener: () => void): void {
    if (this.#queue) this.#onDrained = listener;
    else this.#sink.once("drain", listener);
  }

  /** Runs `end`, which ends the sink, once everything is handed to it. */
  end(end: () => void): void {
    if (this.#queue) this.#afterQueue = end;
    else end();
  }

  /** The client has everything, or has left. */
  release(): void {
    if (this.#isWatched) this.#clock.unwatch(this);
    this.#queue = undefined;
  }

  hasMoved(): boolean {
    if (this.#sink.destroyed) this.release();
    const pending = pendingOf(this.#sink);
    const hasMoved = pending === 0 || pending !== this.#pending;
    this.#pending = pending;
    return hasMoved;
  }

  onStalled(): void {
    this.#owner.onReaderStalled();
  }

  #writePiece(): void {
    const queue = this.#queue;
    if (!queue || this.#sink.destroyed) return;
    this.movedAt = this.#clock.now;
    const [first] = queue;
    if (first === undefined) {
      this.#queue = undefined;
      const next = this.#afterQueue ?? this.#onDrained;
      this.#onDrained = undefined;
      next?.();
      return;
    }
    if (first.byteLength > PIECE_BYTES) queue[0] = first.subarray(PIECE_BYTES);
    else queue.shift();
    this.#sink.write(first.subarray(0, PIECE_BYTES), () => this.#writePiece());
  }
}

/**
 * Bytes written that the client has not made room for. None for an HTTP/1.1 answer without a socket:
 * it waits for the answer to an earlier request of the same connection.
 */
function pendingOf(sink: Sink): number {
  if ("bufferSize" in sink) return sink.bufferSize;
  return sink.socket ? sink.writableLength : 0;
}
