import { pathToFileURL } from "node:url";
import {
  createJwtAuthInterceptor,
  createProtoAuthzInterceptor,
  getPublicMethods,
} from "connectum/auth";
import { createServer, defineService, type Server } from "connectum/core";
import { createDefaultInterceptors } from "connectum/interceptors";
import { NotesService } from "./gen/notes/v1/notes_pb.js";
import { createNotes } from "./notes.ts";

export interface Issuer {
  readonly issuer: string;
  readonly jwksUri: string;
}

/** Tokens of an issuer say who calls; the options in notes.proto say who may. */
export function buildServer({ issuer, jwksUri }: Issuer, port = 5000): Server {
  return createServer({
    services: [defineService(NotesService, createNotes())],
    port,
    interceptors: createDefaultInterceptors({
      auth: [
        createJwtAuthInterceptor({
          jwksUri,
          issuer,
          audience: "notes",
          claimsMapping: { roles: "realm_access.roles" },
          cache: { ttlMs: 30_000 },
          skipMethods: ["grpc.health.v1.Health/*", ...getPublicMethods([NotesService])],
        }),
        createProtoAuthzInterceptor(),
      ],
    }),
  });
}

export async function main(issuer: Issuer, port?: number): Promise<Server> {
  const server = buildServer(issuer, port);
  await server.start();
  return server;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const [issuer = "", jwksUri = `${issuer}/.well-known/jwks.json`] = process.argv.slice(2);
  const server = await main({ issuer, jwksUri });
  console.log("notes listen on", server.address);
}
