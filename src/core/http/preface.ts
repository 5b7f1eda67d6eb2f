import type { Socket } from "node:net";

/** What every HTTP/2 connection begins with (RFC 9113, section 3.4). */
const HTTP2_PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

/** A TLS record that begins a handshake, of any version. */
const TLS_HANDSHAKE = 0x16;

/**
 * Reads as little of a plaintext socket as tells what is spoken, puts it back, and reports once. A
 * preface may be split over packets; bytes that cannot become one are HTTP/1.1.
 */
export function readPreface(
  socket: Socket,
  onDecided: (language: "http1" | "http2" | "tls") => void,
): void {
  let seen = Buffer.alloc(0);
  const onReadable = () => {
    for (let chunk = socket.read(); chunk !== null; chunk = socket.read()) {
      seen = Buffer.concat([seen, chunk as Buffer]);
    }
    const length = Math.min(seen.length, HTTP2_PREFACE.length);
    if (length === 0) return;
    const matches = seen.subarray(0, length).equals(HTTP2_PREFACE.subarray(0, length));
    if (matches && length < HTTP2_PREFACE.length) return;
    socket.off("readable", onReadable);
    socket.unshift(seen);
    const other = seen[0] === TLS_HANDSHAKE ? "tls" : "http1";
    // The end of listening takes effect a tick later, and would undo a pause of who reads next.
    process.nextTick(onDecided, matches ? "http2" : other);
  };
  socket.on("readable", onReadable);
}
