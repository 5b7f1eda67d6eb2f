import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";
import { type CreateServerOptions, createServer, type Server, ServerState } from "connectum/core";

export interface StartedServer {
  readonly server: Server;
  readonly port: number;
  readonly baseUrl: string;
}

/** Starts a server on a free loopback port; the test's end stops it and destroys what is left. */
export async function startServer(
  t: TestContext,
  options: Partial<CreateServerOptions> = {},
): Promise<StartedServer> {
  const server = createServer({
    services: [],
    port: 0,
    host: "127.0.0.1",
    ...options,
    shutdown: { timeout: 5_000, ...options.shutdown },
  });
  await server.start();
  t.after(async () => {
    if (server.state !== ServerState.STOPPED) await server.stop();
  });
  const { port } = server.address as AddressInfo;
  return { server, port, baseUrl: `${options.tls ? "https" : "http"}://127.0.0.1:${port}` };
}
