import { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import type { FrameSink } from "./frame-sink.ts";

/** How long the last frame of a session may take to a client that does not read. */
const LAST_FRAME_MS = 1_000;

/**
 * Stands between a TLS socket and a session, so that both write through one queue: a session that takes
 * over the native handle of a TLS socket leaves no room for frames of ours. A session passes whole frames.
 */
export class TLSSink extends Duplex implements FrameSink {
  readonly #socket: TLSSocket;
  #bytesWritten = 0;

  constructor(socket: TLSSocket) {
    super();
    this.#socket = socket;
    // What Node's sessions do for the sockets they are given (a client could ask for endless handshakes).
    socket.disableRenegotiation();
    socket.on("data", (chunk) => {
      if (!this.push(chunk)) socket.pause();
    });
    socket.once("end", () => this.push(null));
    socket.once("error", (error) => this.destroy(error));
    socket.once("close", () => this.destroy());
  }

  get bytesRead(): number {
    return this.#socket.bytesRead;
  }

  /** What waits here for the socket has left the session, and counts. */
  get bytesWritten(): number {
    return this.#bytesWritten;
  }

  override write(chunk: Uint8Array, ...rest: never[]): boolean {
    this.#bytesWritten += chunk.byteLength;
    return super.write(chunk, ...rest);
  }

  writeFrame(frame: Uint8Array): "written" | "impossible" {
    if (!this.writable) return "impossible";
    this.write(frame);
    return "written";
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#socket.write(chunk, done);
  }

  override _writev(
    chunks: Array<{ readonly chunk: Buffer }>,
    done: (error?: Error | null) => void,
  ): void {
    const socket = this.#socket;
    const last = chunks.length - 1;
    socket.cork();
    chunks.forEach(({ chunk }, index) => {
      if (index < last) socket.write(chunk);
      else socket.write(chunk, done);
    });
    socket.uncork();
  }

  override _final(done: () => void): void {
    this.#socket.end(done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    // The last frame says why the session ended, and is still on its way through the encryption.
    const socket = this.#socket;
    socket.destroySoon();
    const timer = setTimeout(() => socket.destroy(), LAST_FRAME_MS);
    socket.once("close", () => clearTimeout(timer));
    done(error);
  }
}
