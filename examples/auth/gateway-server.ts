import { pathToFileURL } from "node:url";
import { createGatewayAuthInterceptor, createProtoAuthzInterceptor } from "connectum/auth";
import { createServer, defineService, type Server } from "connectum/core";
import { NotesService } from "./gen/notes/v1/notes_pb.js";
import { createNotes } from "./notes.ts";

/** nginx has authenticated the caller: see nginx.conf. Nobody else knows the secret. */
export async function main(secret: string, port = 5000): Promise<Server> {
  const server = createServer({
    services: [defineService(NotesService, createNotes())],
    host: "127.0.0.1",
    port,
    interceptors: [
      createGatewayAuthInterceptor({
        headerMapping: { subject: "x-user-id", scopes: "x-user-scopes" },
        trustSource: { header: "x-gateway-secret", expectedValues: [secret] },
        stripHeaders: ["authorization"],
      }),
      createProtoAuthzInterceptor(),
    ],
  });
  await server.start();
  return server;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  await main(process.env.GATEWAY_SECRET ?? "");
}
