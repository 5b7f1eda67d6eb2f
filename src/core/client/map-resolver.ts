import type { Transport } from "@connectrpc/connect";
import { checkTransportObject } from "./check-transport.ts";
import type { RemoteResolver } from "./remote-resolver.ts";

/** Transports by type name. A service that is not in the map has none. They stay yours to close. */
export function mapResolver(transports: Readonly<Record<string, Transport>>): RemoteResolver {
  const byName = new Map(Object.entries(transports));
  for (const [name, transport] of byName)
    checkTransportObject(`mapResolver() "${name}"`, transport);
  return ({ typeName }) => byName.get(typeName) ?? null;
}
