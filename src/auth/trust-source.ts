import { ConnectumError, type Peer } from "../core/index.ts";
import { checkKeys, show } from "../core/internal.ts";
import { addressMatcher, isAddressRange } from "./address-matcher.ts";
import type { AuthCall } from "./authenticator.ts";
import { secretMatcher } from "./constant-time.ts";

/** How a gateway shows that a request comes from it. */
export type TrustSource =
  | {
      /** A header that only the gateway can set: it must remove what clients send under this name. */
      readonly header: string;
      /** Shared secrets, compared in constant time; or addresses and CIDR ranges of an address in it. */
      readonly expectedValues: readonly string[];
    }
  | {
      /** Addresses and CIDR ranges the connection itself must come from. */
      readonly peer: readonly string[];
    }
  | {
      /** A name in the gateway's verified client certificate; needs `tls: { clientAuth }`. */
      readonly tls: { readonly uri: string } | { readonly dns: string };
    };

export interface ResolvedTrust {
  /** The header it reads, lower-case. */
  readonly header: string | undefined;
  readonly isTrusted: (call: AuthCall, value: string | undefined) => boolean;
}

/** Throws INVALID_OPTION for a trust source that would trust nobody or anybody. */
export function resolveTrustSource(source: TrustSource): ResolvedTrust {
  if (typeof source !== "object" || source === null) throw unknownSource(source);
  if ("header" in source) {
    checkKeys("trustSource", source, ["header", "expectedValues"]);
    const isExpected = expectedMatcher(source.expectedValues);
    return {
      header: checkHeaderName("trustSource.header", source.header),
      isTrusted: (_, value) => value !== undefined && isExpected(value),
    };
  }
  if ("peer" in source) {
    checkKeys("trustSource", source, ["peer"]);
    checkTexts("trustSource.peer", source.peer);
    const isPeer = addressMatcher("trustSource.peer", source.peer);
    return { header: undefined, isTrusted: ({ peer }) => isPeer(peer.address) };
  }
  if ("tls" in source) {
    checkKeys("trustSource", source, ["tls"]);
    const isNamed = certificateMatcher(source.tls);
    return { header: undefined, isTrusted: ({ peer }) => isNamed(peer.certificate) };
  }
  throw unknownSource(source);
}

function expectedMatcher(values: readonly string[]): (value: string) => boolean {
  checkTexts("trustSource.expectedValues", values);
  const isAddress = addressMatcher("trustSource.expectedValues", values.filter(isAddressRange));
  const isSecret = secretMatcher(values.filter((value) => !isAddressRange(value)));
  return (value) => isSecret(value) || isAddress(value);
}

function certificateMatcher(tls: { uri?: string; dns?: string }) {
  const { uri, dns } = tls;
  checkKeys("trustSource.tls", tls, ["uri", "dns"]);
  const names = [uri, dns].filter((name) => name !== undefined);
  checkTexts("trustSource.tls", names);
  return (certificate: Peer["certificate"]) => {
    if (!certificate) return false;
    const { uris, dnsNames } = certificate;
    const isUri = uri === undefined || uris.includes(uri);
    return isUri && (dns === undefined || dnsNames.includes(dns));
  };
}

/** Throws INVALID_OPTION unless `values` is a list of at least one non-empty string. */
export function checkTexts(option: string, values: readonly string[]): void {
  const isGood =
    Array.isArray(values) &&
    values.length > 0 &&
    values.every((value) => typeof value === "string" && value !== "");
  if (isGood) return;
  throw new ConnectumError(
    "INVALID_OPTION",
    `${option} must be a list of at least one non-empty string, got ${show(values)}`,
  );
}

/** The name in lower case. Throws INVALID_OPTION for one that HTTP does not know. */
export function checkHeaderName(option: string, name: string): string {
  if (typeof name === "string" && /^[!#$%&'*+\-.^_`|~0-9a-z]+$/i.test(name)) {
    return name.toLowerCase();
  }
  throw new ConnectumError("INVALID_OPTION", `${option} must be a header name, got ${show(name)}`);
}

function unknownSource(source: unknown): ConnectumError {
  return new ConnectumError(
    "INVALID_OPTION",
    `trustSource must be { header, expectedValues }, { peer } or { tls }, got ${show(source)}`,
  );
}
