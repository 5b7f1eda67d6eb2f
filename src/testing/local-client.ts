import type { DescService } from "@bufbuild/protobuf";
import type { Client } from "@connectrpc/connect";
import type { Server } from "../core/index.ts";

/**
 * A client that calls a server in this process, started or not, through all of its interceptors. A call
 * of a service that is not mounted fails with `unimplemented`.
 */
export function createLocalClient<T extends DescService>(server: Server, service: T): Client<T> {
  return server.localClient(service);
}
