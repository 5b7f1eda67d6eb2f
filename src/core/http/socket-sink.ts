import { writeSync } from "node:fs";
import type { Socket } from "node:net";
import type { FrameSink } from "./frame-sink.ts";

/**
 * A plaintext socket whose native handle a session has taken over. A write on the socket itself would
 * end in the session when the system has no room for it at once, and abort the process; so the frame goes
 * to the file descriptor, which says when there is no room. Not on Windows, where there is no descriptor.
 */
export class SocketSink implements FrameSink {
  readonly #socket: Socket;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  get bytesRead(): number {
    return this.#socket.bytesRead;
  }

  get bytesWritten(): number {
    return this.#socket.bytesWritten;
  }

  writeFrame(frame: Uint8Array): "written" | "busy" | "impossible" {
    const { fd = -1, writeQueueSize } = handleOf(this.#socket) ?? {};
    if (fd < 0) return "impossible";
    // Something of the session waits there, perhaps the rest of a frame.
    if (writeQueueSize !== 0) return "busy";
    try {
      if (writeSync(fd, frame) === frame.length) return "written";
      // Nobody has seen a system that takes a part of so few bytes; what follows would be unreadable.
      this.#socket.destroy();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EAGAIN") return "busy";
    }
    return "impossible";
  }
}

/** What of Node's internal handle has no public name. */
function handleOf(
  socket: Socket,
): { readonly fd?: number; readonly writeQueueSize?: number } | undefined {
  return (socket as unknown as { _handle?: { fd?: number; writeQueueSize?: number } })._handle;
}
