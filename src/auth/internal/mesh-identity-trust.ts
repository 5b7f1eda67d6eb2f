import { ConnectumError } from "../../core/index.ts";
import { checkKeys, show } from "../../core/internal.ts";
import { addressMatcher } from "../address-matcher.ts";
import type { AuthCall } from "../authenticator.ts";
import { spiffeId } from "../mtls-auth-interceptor.ts";
import { checkTexts } from "../trust-source.ts";
import type { InternalTrust } from "./internal-trust.ts";

export interface MeshIdentityTrustOptions {
  /** SPIFFE ids, or `spiffe://trust.domain/path/*` for all below a path. */
  readonly allow: readonly string[];
  /**
   * Addresses and CIDR ranges of sidecars that end TLS and pass the caller's certificate on in
   * `x-forwarded-client-cert`. Default none: the certificate of the connection itself counts.
   */
  readonly sidecars?: readonly string[];
}

const FORWARDED = "x-forwarded-client-cert";

/** A service is whom its SPIFFE id names, in a certificate that TLS or a sidecar has verified. */
export function meshIdentityTrust(options: MeshIdentityTrustOptions): InternalTrust {
  checkKeys("meshIdentityTrust()", options, ["allow", "sidecars"]);
  const { allow, sidecars = [] } = options;
  checkTexts("allow", allow);
  for (const pattern of allow) checkSpiffePattern(pattern);
  const isSidecar = addressMatcher("sidecars", sidecars);
  const isAllowed = (id: string) =>
    allow.some((pattern) =>
      pattern.endsWith("/*") ? id.startsWith(pattern.slice(0, -1)) : id === pattern,
    );
  return {
    headers: [FORWARDED],
    proof(call, headers) {
      if (isSidecar(call.peer.address)) return forwardedId(headers.get(FORWARDED) ?? "");
      return ownId(call);
    },
    verify: (id) => (isAllowed(id) ? { subject: id } : null),
  };
}

function ownId({ peer }: AuthCall): string | undefined {
  return peer.certificate && spiffeId(peer.certificate);
}

/** Key=value pairs with `;` between, per hop, with `,` between; values may be in quotes. */
const pairPattern = /([A-Za-z]+)=("(?:[^"\\]|\\.)*"|[^;,"]*)([;,]|$)/gy;

/** The SPIFFE id of the last hop: earlier ones are only what that hop says. */
function forwardedId(value: string): string | undefined {
  let ids: string[] = [];
  let end = 0;
  for (const match of value.matchAll(pairPattern)) {
    const [pair, key = "", quoted = "", separator] = match;
    if (pair === "") break;
    end = match.index + pair.length;
    if (key.toLowerCase() === "uri") ids.push(quoted.replace(/^"|"$/g, ""));
    if (separator === ",") ids = [];
  }
  return end === value.length && ids.length === 1 ? ids[0] : undefined;
}

function checkSpiffePattern(pattern: string): void {
  if (/^spiffe:\/\/[a-z0-9._-]+\/[\w./-]*(\/\*|[\w.-])$/.test(pattern)) return;
  if (/^spiffe:\/\/[a-z0-9._-]+\/\*$/.test(pattern)) return;
  throw new ConnectumError(
    "INVALID_OPTION",
    `allow takes "spiffe://trust.domain/path" and "spiffe://trust.domain/path/*", got ${show(pattern)}`,
  );
}
