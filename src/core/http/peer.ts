import type { X509Certificate } from "node:crypto";
import type { Http2Session } from "node:http2";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { Peer, PeerCertificate } from "../context-keys.ts";

const unknownPeer: Peer = { address: "" };
const peers = new WeakMap<Socket, Peer>();
const sockets = new WeakMap<Http2Session, Socket>();

/** `session.socket` knows no peer on TLS: something of ours stands between the two. */
export function linkSocket(session: Http2Session, socket: Socket): void {
  sockets.set(session, socket);
}

/** The socket that {@link linkSocket} named for this session. */
export function socketOf(session: Http2Session | undefined): Socket | undefined {
  return session && sockets.get(session);
}

/** Who is at the other end of a socket; read once per connection. */
export function peerOf(socket: Socket | undefined): Peer {
  if (!socket) return unknownPeer;
  let peer = peers.get(socket);
  if (!peer) {
    peer = {
      address: socket.remoteAddress ?? "",
      port: socket.remotePort,
      certificate: certificateOf(socket as TLSSocket),
    };
    peers.set(socket, peer);
  }
  return peer;
}

/** Only what a configured CA vouches for counts; a certificate merely shown says nothing. */
function certificateOf(socket: TLSSocket): PeerCertificate | undefined {
  if (!socket.encrypted || !socket.authorized) return undefined;
  const certificate = socket.getPeerX509Certificate();
  if (!certificate) return undefined;
  const { subject, serialNumber, fingerprint256 } = certificate;
  return {
    subject,
    serialNumber,
    fingerprint256,
    dnsNames: alternativeNames(certificate, "DNS"),
    uris: alternativeNames(certificate, "URI"),
  };
}

/** Names as `DNS:a, URI:"odd, name"`: Node quotes as JSON what could pass for a separator. */
const namePattern = /([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^,]*)(?:, |$)/gy;

function alternativeNames({ subjectAltName }: X509Certificate, kind: "DNS" | "URI"): string[] {
  const names: string[] = [];
  for (const [, type, value = ""] of (subjectAltName ?? "").matchAll(namePattern)) {
    if (type === kind) names.push(value.startsWith('"') ? JSON.parse(value) : value);
  }
  return names;
}
