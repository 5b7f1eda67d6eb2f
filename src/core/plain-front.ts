import * as net from "node:net";
import { readPreface } from "./http/preface.ts";
import type { ResolvedOptions } from "./resolve-options.ts";

/** What a front hands over: an accepted socket, and the socket that carries plain HTTP. */
export interface FrontHandler {
  /** Every accepted socket, at once. */
  onAccept(socket: net.Socket): void;
  /** `accepted` is undefined where it cannot be told from others. */
  onHttp(accepted: net.Socket | undefined, socket: net.Socket, isHttp2: boolean): void;
  /** A mistake that every attempt of the same client would repeat. */
  onMistake(message: string): void;
}

/**
 * How much of a request's body is read that nobody has asked for, rounded up to what one read gives, 64
 * KiB. Node's own value from 22 on makes it two reads.
 */
export const READ_AHEAD_BYTES = 16 * 1024;

/** Accepts plaintext; the first bytes tell HTTP/1.1 from HTTP/2. */
export function createPlainFront(
  { allowHTTP1, allowHTTP2, handshakeTimeout }: ResolvedOptions,
  handler: FrontHandler,
): net.Server {
  const options = { noDelay: true, highWaterMark: READ_AHEAD_BYTES };
  return net.createServer(options, (socket) => {
    handler.onAccept(socket);
    const silent = setTimeout(() => socket.destroy(), handshakeTimeout);
    const onClose = () => clearTimeout(silent);
    socket.on("close", onClose);
    readPreface(socket, (language) => {
      clearTimeout(silent);
      socket.off("close", onClose);
      const isAllowed = language === "http2" ? allowHTTP2 : language === "http1" && allowHTTP1;
      if (isAllowed) {
        handler.onHttp(socket, socket, language === "http2");
        return;
      }
      if (language === "tls") {
        handler.onMistake("a TLS client came to the plaintext port; use http");
      }
      socket.destroy();
    });
  });
}
