import type { Socket } from "node:net";
import type { Peer } from "../context-keys.ts";

/** Who is at the other end of a socket; the same object for all calls of a connection is not promised. */
export function peerOf(socket: Socket | undefined): Peer {
  return { address: socket?.remoteAddress ?? "", port: socket?.remotePort };
}
