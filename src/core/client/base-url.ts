import type { Transport } from "@connectrpc/connect";
import { show } from "../check-options.ts";
import { ConnectumError } from "../errors.ts";
import type { ResolverContext } from "./remote-resolver.ts";

/** Makes the transport to a base URL. Whoever makes one with it also closes it. */
export type CreateTransport = (baseUrl: string, context: ResolverContext) => Transport;

/** Throws INVALID_OPTION unless `url` is an absolute http or https URL. */
export function checkBaseUrl(where: string, url: string): void {
  const protocol = URL.canParse(url) ? new URL(url).protocol : undefined;
  if (protocol === "http:" || protocol === "https:") return;
  throw new ConnectumError(
    "INVALID_OPTION",
    `${where} must be a URL like http://host:5000, got ${show(url)}`,
  );
}
