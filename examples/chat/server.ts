import type { AddressInfo } from "node:net";
import { pathToFileURL } from "node:url";
import { createServer, defineService, type Server } from "connectum/core";
import { createChat } from "./chat.ts";
import { ChatService } from "./gen/chat/v1/chat_pb.js";

export function buildServer(port = 5000): Server {
  const server = createServer({
    services: [],
    port,
    shutdown: { autoShutdown: true, timeout: 10_000 },
  });
  // Its streams end only when somebody ends them, so they listen to the server's own signal.
  server.addService(defineService(ChatService, createChat(server.shutdownSignal)));
  return server;
}

export async function main(port?: number): Promise<Server> {
  const server = buildServer(port);
  await server.start();
  return server;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const server = await main(Number(process.env.PORT ?? 5000));
  console.log(`chat listens on port ${(server.address as AddressInfo).port}`);
}
