import type { AddressInfo } from "node:net";
import { pathToFileURL } from "node:url";
import { createServer, defineService, type Server } from "connectum/core";
import { LaunchService } from "./gen/launch/v1/launch_pb.js";
import { createLaunch } from "./launch.ts";
import { main as startPages } from "./pages.ts";

export interface LaunchOptions {
  readonly port?: number;
  /** Where the page comes from; scheme, host and port, as browsers send it. */
  readonly origins: readonly string[];
  /** Milliseconds of a second of the countdown. */
  readonly secondMs?: number;
}

export function buildServer({ port = 5000, origins, secondMs }: LaunchOptions): Server {
  return createServer({
    services: [defineService(LaunchService, createLaunch(secondMs))],
    port,
    cors: { origins },
    shutdown: { autoShutdown: true },
  });
}

export async function main(options: LaunchOptions): Promise<Server> {
  const server = buildServer(options);
  await server.start();
  return server;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const server = await main({ origins: ["http://localhost:8080"] });
  const { port } = server.address as AddressInfo;
  const pages = await startPages(`http://localhost:${port}`, 8080);
  server.onShutdown(() => pages.close());
  console.log(`open ${pages.origin}, whose calls go to port ${port}`);
}
