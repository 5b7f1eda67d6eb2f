// shared/server.ts — same call sites in every deployment topology

import { createGrpcTransport } from "@connectrpc/connect-node";
import { createServer, singleTransportResolver } from "connectum/core";
import { ownedServices } from "../services.js";

export function buildServer(env: { upstreamUrl?: string }) {
  return createServer({
    // Register only the services this process owns; the rest are remote.
    services: ownedServices,
    // Services not mounted locally are routed through the resolver.
    // Omit `remoteResolver` for a pure monolith that hosts everything.
    remoteResolver: env.upstreamUrl
      ? // @ts-expect-error: the types of connect-node know no httpVersion here any more
        singleTransportResolver(createGrpcTransport({ baseUrl: env.upstreamUrl, httpVersion: "2" }))
      : undefined,
  });
}
