import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import type { FrameSink } from "./frame-sink.ts";
import { SocketSink } from "./socket-sink.ts";
import { TLSSink } from "./tls-sink.ts";

/** A session that writes to anything but a native socket fails an assertion of Node 18's own. */
const canStandBetween = Number.parseInt(process.versions.node, 10) >= 20;

/** What a session on this socket writes to; a {@link TLSSink} has to be given to it in place of the socket. */
export function createFrameSink(socket: Socket): FrameSink {
  if (!(socket instanceof TLSSocket)) return new SocketSink(socket);
  return canStandBetween ? new TLSSink(socket) : new NativeTLSSink(socket);
}

/** Has no room for frames of ours: the process aborts when somebody writes beneath a session on TLS. */
class NativeTLSSink implements FrameSink {
  readonly #socket: TLSSocket;

  constructor(socket: TLSSocket) {
    this.#socket = socket;
  }

  get bytesRead(): number {
    return this.#socket.bytesRead;
  }

  get bytesWritten(): number {
    return this.#socket.bytesWritten;
  }

  writeFrame(): "impossible" {
    return "impossible";
  }
}
