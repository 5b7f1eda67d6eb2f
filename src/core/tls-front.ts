import type { Socket } from "node:net";
import * as tls from "node:tls";
import { type FrontHandler, READ_AHEAD_BYTES } from "./plain-front.ts";
import type { ResolvedOptions } from "./resolve-options.ts";
import { readTLSCertificates, secureContextOptions } from "./tls.ts";

/** Accepts TLS; ALPN tells HTTP/1.1 from HTTP/2. */
export function createTlsFront(
  tlsOptions: NonNullable<ResolvedOptions["tls"]>,
  { allowHTTP1, allowHTTP2, handshakeTimeout, http2Options, logger }: ResolvedOptions,
  handler: FrontHandler,
): tls.Server {
  const { clientAuth = "none" } = tlsOptions;
  /** Accepted sockets whose handshake is not over. */
  const shaking = new Set<Socket>();
  const server = tls.createServer({
    ...http2Options,
    ...secureContextOptions(tlsOptions, readTLSCertificates(tlsOptions)),
    requestCert: clientAuth !== "none",
    rejectUnauthorized: clientAuth === "require",
    handshakeTimeout,
    noDelay: true,
    highWaterMark: READ_AHEAD_BYTES,
    ALPNProtocols: [...(allowHTTP2 ? ["h2"] : []), ...(allowHTTP1 ? ["http/1.1"] : [])],
  });
  server.on("connection", (socket: Socket) => {
    handler.onAccept(socket);
    shaking.add(socket);
    socket.once("close", () => shaking.delete(socket));
  });
  server.on("tlsClientError", (error: NodeJS.ErrnoException, socket) => {
    if (isPlaintext(error)) {
      handler.onMistake("a plaintext client came to the TLS port; use https");
    }
    logger.debug({ err: error }, "TLS handshake failed");
    socket.destroy();
  });
  server.on("secureConnection", (socket) => {
    const accepted = acceptedOf(socket, shaking);
    if (accepted) shaking.delete(accepted);
    const isHttp2 = socket.alpnProtocol === "h2";
    // A client without ALPN speaks HTTP/1.1.
    if (isHttp2 || allowHTTP1) handler.onHttp(accepted, socket, isHttp2);
    else socket.destroy();
  });
  return server;
}

/** The accepted socket under a TLS socket, which Node links nowhere in public. */
function acceptedOf(
  { remoteAddress, remotePort }: tls.TLSSocket,
  sockets: Iterable<Socket>,
): Socket | undefined {
  for (const socket of sockets) {
    if (socket.remotePort === remotePort && socket.remoteAddress === remoteAddress) return socket;
  }
  return undefined;
}

/** What OpenSSL calls bytes of HTTP, or of anything else, where a TLS record should be. */
function isPlaintext({ code }: NodeJS.ErrnoException): boolean {
  return code === "ERR_SSL_HTTP_REQUEST" || code === "ERR_SSL_WRONG_VERSION_NUMBER";
}
