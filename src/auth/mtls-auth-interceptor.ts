import type { Interceptor } from "@connectrpc/connect";
import type { Peer, PeerCertificate } from "../core/index.ts";
import { checkFunction, checkKeys } from "../core/internal.ts";
import type { AuthContextInit } from "./auth-context.ts";
import { Refusal } from "./auth-failure.ts";
import {
  type CachedAuthenticationOptions,
  cachedAuthenticationKeys,
  createAuthenticator,
} from "./authenticator.ts";

/** A peer whose certificate a configured authority has signed. */
export type VerifiedPeer = Peer & { readonly certificate: PeerCertificate };

type Maybe<T> = T | null | undefined;

export interface MtlsAuthOptions extends CachedAuthenticationOptions {
  /**
   * Whom a certificate belongs to; null is `unauthenticated`. Default: the SPIFFE id, else the first
   * DNS name, else the certificate's subject. A certificate with several SPIFFE ids belongs to nobody.
   */
  readonly map?: (peer: VerifiedPeer) => Maybe<AuthContextInit> | Promise<Maybe<AuthContextInit>>;
}

/**
 * Authenticates calls by the client certificate that TLS has verified. The server needs
 * `tls: { ca, clientAuth: "request" }` or `"require"`.
 */
export function createMtlsAuthInterceptor(options: MtlsAuthOptions = {}): Interceptor {
  checkKeys("createMtlsAuthInterceptor()", options, [...cachedAuthenticationKeys, "map"]);
  const { map = identityOf } = options;
  checkFunction("map", map);
  return createAuthenticator<VerifiedPeer | undefined>(options, {
    type: "mtls",
    extract: ({ peer }) => (peer.certificate ? (peer as VerifiedPeer) : undefined),
    verify: map,
    cacheKey: ({ certificate }) => certificate.fingerprint256,
  });
}

function identityOf({ certificate }: VerifiedPeer): AuthContextInit {
  const { subject, dnsNames, uris, serialNumber, fingerprint256 } = certificate;
  return {
    subject: spiffeId(certificate) ?? dnsNames[0] ?? subject,
    claims: { subject, dnsNames, uris, serialNumber, fingerprint256 },
  };
}

/** The SPIFFE id of a certificate, if it has one. Throws for several, as the SPIFFE standard asks. */
export function spiffeId({ uris }: PeerCertificate): string | undefined {
  const ids = uris.filter((uri) => uri.startsWith("spiffe://"));
  if (ids.length > 1) throw new Refusal("the certificate has several SPIFFE ids");
  return ids[0];
}
