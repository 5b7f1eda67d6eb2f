import { type ContextValues, createContextKey } from "@connectrpc/connect";

/** The certificate of a client that TLS has verified. */
export interface PeerCertificate {
  /** Distinguished name, for example `CN=billing`. */
  readonly subject: string;
  readonly serialNumber: string;
  /** SHA-256, colon separated upper-case hex. */
  readonly fingerprint256: string;
  readonly dnsNames: readonly string[];
  /** URI names, SPIFFE ids included. */
  readonly uris: readonly string[];
}

/** Who is at the other end of the connection. */
export interface Peer {
  /** IP address, or `"in-process"`; empty for a Unix domain socket. */
  readonly address: string;
  readonly port?: number;
  /** Present only when the client showed a certificate that a configured CA signed. */
  readonly certificate?: PeerCertificate;
}

/** The connection's other end, set by the server for every call. */
export const peerKey = createContextKey<Peer>({ address: "" }, { description: "connectum peer" });

/** How the call came in. Set by the server itself, so no client can forge it. */
export const transportKey = createContextKey<"http" | "in-process">("http", {
  description: "connectum transport",
});

/**
 * Names the call in logs and errors: its `x-request-id` header if that is 1 to 128 letters, digits and
 * `._:+/=@-`, otherwise a random UUID made at the first read. Once it was read, it is in the response
 * header `x-request-id`. Empty on calls that are not served by `createServer()`.
 */
export const requestIdKey = createContextKey<string>("", { description: "connectum request id" });

/** The span of a call, where tracing leaves it for whoever writes about the call. */
export const callSpanKey = createContextKey<
  { readonly traceId: string; readonly spanId: string } | undefined
>(undefined, { description: "connectum span" });

/**
 * What a caller in this process put into the context values of its outgoing call. Set by the local
 * door alone: a call from the network has none, whatever it sends.
 */
export const callerValuesKey = createContextKey<ContextValues | undefined>(undefined, {
  description: "connectum caller's values",
});
