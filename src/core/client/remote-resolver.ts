import type { Transport } from "@connectrpc/connect";

/** What a resolver is asked for. */
export interface ResolverContext {
  /** For example `inventory.v1.InventoryService`. */
  readonly typeName: string;
  /** As given to `server.client()`. The ready-made resolvers take no notice of it. */
  readonly endpoint?: string;
}

/**
 * Finds the transport to a service that is not mounted on this server, or null if there is none.
 * Asked once per service and endpoint, synchronously; it does no I/O.
 */
export type RemoteResolver = (context: ResolverContext) => Transport | null;
