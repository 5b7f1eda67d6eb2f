import type { ServerResponse } from "node:http";
import type { ServerHttp2Stream } from "node:http2";
import { Code, ConnectError } from "@connectrpc/connect";
import type { BodyReceiver } from "./exchange.ts";
import type { StallClock, Watched } from "./stall-clock.ts";

type Sink = ServerResponse | ServerHttp2Stream;

/** What a client must read within the timeout to count as moving. */
export const PIECE_BYTES = 256 * 1024;

/**
 * The two bodies of an exchange on their way: writes the answer, and notices a client that stops in the
 * middle of a message, or that does not read. A write completes as a whole, so large messages go out in
 * pieces: that makes their progress visible.
 */
export class BodyFlow implements Watched {
  previous: Watched | undefined;
  next: Watched | undefined;
  readonly #sink: Sink;
  readonly #clock: StallClock;
  readonly #owner: { onReaderStalled(reason: ConnectError): void };
  #isWatched = false;
  /** Who waits for the body of the request, until all of it has come or nobody waits any more. */
  #receiver: BodyReceiver | undefined;
  #receivedAt = 0;
  #isWriting = false;
  #writtenAt = 0;
  #pending = 0;
  /** What waits behind a message that is going out in pieces. */
  #queue: Uint8Array[] | undefined;
  #afterQueue: (() => void) | undefined;
  #onDrained: (() => void) | undefined;

  constructor(
    sink: Sink,
    clock: StallClock,
    owner: { onReaderStalled(reason: ConnectError): void },
  ) {
    this.#sink = sink;
    this.#clock = clock;
    this.#owner = owner;
  }

  /** The body of the request must come from now on. */
  expectBody(receiver: BodyReceiver): void {
    this.#receiver = receiver;
    this.#receivedAt = this.#clock.now;
    this.#watch();
  }

  /** Some of it has come. */
  onReceived(): void {
    this.#receivedAt = this.#clock.now;
  }

  /** All of it has come, or nobody needs the rest. */
  stopExpecting(): void {
    this.#receiver = undefined;
    if (!this.#isWriting) this.#unwatch();
  }

  /** The answer is being written, be it past this object. */
  onWriting(): void {
    // Whoever writes waits for the client, so that there is more to write says that it moves.
    this.#writtenAt = this.#clock.now;
    this.#isWriting = true;
    this.#watch();
  }

  /** False when the client reads slower than it is written to; then wait for {@link onceDrained}. */
  write(bytes: Uint8Array): boolean {
    this.onWriting();
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

  /** The client has sent and got everything, or has left. */
  release(): void {
    this.#receiver = undefined;
    this.#queue = undefined;
    this.#unwatch();
  }

  look(): void {
    if (this.#receiver) this.#lookAtBody(this.#receiver);
    if (this.#isWriting) this.#lookAtAnswer();
  }

  #lookAtBody(receiver: BodyReceiver): void {
    const { now, bodyLooks, timeouts } = this.#clock;
    // It may stand still for a reason of ours.
    if (!receiver.isMissingBytes) this.#receivedAt = now;
    if (now - this.#receivedAt <= bodyLooks) return;
    this.stopExpecting();
    receiver.onError(bodyStalled(timeouts.bodyIdleTimeoutMs));
  }

  #lookAtAnswer(): void {
    const { now, writeLooks, timeouts } = this.#clock;
    if (this.#sink.destroyed) {
      this.release();
      return;
    }
    const pending = pendingOf(this.#sink);
    if (pending === 0 || pending !== this.#pending) this.#writtenAt = now;
    this.#pending = pending;
    if (now - this.#writtenAt <= writeLooks) return;
    this.release();
    this.#owner.onReaderStalled(readerStalled(timeouts.writeIdleTimeoutMs));
  }

  #watch(): void {
    if (this.#isWatched) return;
    this.#isWatched = true;
    this.#clock.watch(this);
  }

  #unwatch(): void {
    if (!this.#isWatched) return;
    this.#isWatched = false;
    this.#clock.unwatch(this);
  }

  #writePiece(): void {
    const queue = this.#queue;
    if (!queue || this.#sink.destroyed) return;
    this.#writtenAt = this.#clock.now;
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

function bodyStalled(timeoutMs: number): ConnectError {
  return new ConnectError(
    `the request stood still for ${timeoutMs} ms in the middle of a message`,
    Code.DeadlineExceeded,
  );
}

function readerStalled(timeoutMs: number): ConnectError {
  return new ConnectError(`the client read nothing for ${timeoutMs} ms`, Code.DeadlineExceeded);
}
