import { pathToFileURL } from "node:url";
import { createServer, defineService, type Server } from "connectum/core";
import { Healthcheck } from "connectum/healthcheck";
import { Reflection } from "connectum/reflection";
import { GreeterService } from "./gen/greeter/v1/greeter_pb.js";
import { greeter } from "./service.ts";

export function buildServer(port = 5000): Server {
  return createServer({
    services: [defineService(GreeterService, greeter)],
    port,
    protocols: [Healthcheck({ httpEnabled: true }), Reflection()],
    shutdown: { autoShutdown: true },
  });
}

export async function main(port?: number): Promise<Server> {
  const server = buildServer(port);
  await server.start();
  return server;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const server = await main(Number(process.env.PORT ?? 5000));
  console.log("greeter listens on", server.address);
}
