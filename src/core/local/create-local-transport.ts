import type { Interceptor, Transport } from "@connectrpc/connect";
import { inProcess, interceptTransport } from "../client/intercept-transport.ts";
import { ConnectumError } from "../errors.ts";

/** Where a server keeps its local door, for this folder and nobody else. */
export const localDoorOf = Symbol("connectum local door");

export interface LocalTransportOptions {
  /** Client interceptors, outermost first. Default none. */
  readonly interceptors?: readonly Interceptor[];
}

/**
 * A transport whose calls stay in this process: no serialization, no sockets, the same interceptors,
 * errors, deadlines and cancellation as on the network. Works before and without `start()`; after
 * `stop()` calls fail with `unavailable`. The first call freezes the server's routes.
 */
export function createLocalTransport(
  server: object,
  options: LocalTransportOptions = {},
): Transport {
  const door = (server as { [localDoorOf]?: Transport })[localDoorOf];
  if (!door) {
    throw new ConnectumError(
      "INVALID_OPTION",
      "createLocalTransport() takes a server made by createServer()",
    );
  }
  const { interceptors = [] } = options;
  return interceptTransport(door, interceptors, inProcess);
}
