import type { Transport } from "@connectrpc/connect";
import { checkTransportObject } from "./check-transport.ts";
import type { RemoteResolver } from "./remote-resolver.ts";

/** Every remote service is behind one transport. The transport stays yours to close. */
export function singleTransportResolver(transport: Transport): RemoteResolver {
  checkTransportObject("singleTransportResolver()", transport);
  return () => transport;
}
