import { BlockList, isIP } from "node:net";
import { ConnectumError } from "../core/index.ts";
import { show } from "../core/internal.ts";

/** Whether text is an IP address or a CIDR range. */
export function isAddressRange(text: string): boolean {
  return parse(text) !== undefined;
}

/** Tests addresses against IPv4 and IPv6 addresses and CIDR ranges. Throws INVALID_OPTION for others. */
export function addressMatcher(
  option: string,
  ranges: readonly string[],
): (address: string) => boolean {
  const list = new BlockList();
  for (const range of ranges) {
    const parsed = parse(range);
    if (!parsed) {
      throw new ConnectumError(
        "INVALID_OPTION",
        `${option} takes addresses and ranges like "10.0.0.0/8" or "fd00::/8", got ${show(range)}`,
      );
    }
    list.addSubnet(parsed.address, parsed.prefix, parsed.family);
  }
  return (address) => {
    const plain = unmapped(address);
    const version = isIP(plain);
    return version !== 0 && list.check(plain, version === 6 ? "ipv6" : "ipv4");
  };
}

function parse(range: unknown) {
  if (typeof range !== "string") return undefined;
  const [address = "", prefixText, ...rest] = range.split("/");
  const version = isIP(address);
  if (version === 0 || rest.length > 0 || address.includes("%")) return undefined;
  const bits = version === 6 ? 128 : 32;
  if (prefixText !== undefined && !/^\d{1,3}$/.test(prefixText)) return undefined;
  const prefix = prefixText === undefined ? bits : Number(prefixText);
  if (prefix > bits) return undefined;
  return { address, prefix, family: version === 6 ? "ipv6" : "ipv4" } as const;
}

/** A server that listens on `::` sees IPv4 clients as `::ffff:10.0.0.1`. */
function unmapped(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, "").replace(/%.*$/, "");
}
