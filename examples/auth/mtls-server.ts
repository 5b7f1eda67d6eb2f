import { pathToFileURL } from "node:url";
import { createMtlsAuthInterceptor, createProtoAuthzInterceptor } from "connectum/auth";
import { createServer, defineService, type Server, type TLSOptions } from "connectum/core";
import { NotesService } from "./gen/notes/v1/notes_pb.js";
import { createNotes } from "./notes.ts";

const workloads: Readonly<Record<string, { readonly scopes: readonly string[] }>> = {
  "spiffe://shop.example/ns/notes/sa/writer": { scopes: ["notes:write"] },
  "spiffe://shop.example/ns/notes/sa/reader": { scopes: [] },
};

/** Workloads show their SPIFFE certificates; TLS has verified them before a call is seen. */
export async function main(tls: TLSOptions, port = 5000): Promise<Server> {
  const server = createServer({
    services: [defineService(NotesService, createNotes())],
    port,
    tls: { ...tls, clientAuth: "require" },
    interceptors: [
      createMtlsAuthInterceptor({
        map({ certificate }) {
          const subject = certificate.uris.find((uri) => Object.hasOwn(workloads, uri));
          return subject === undefined ? null : { subject, ...workloads[subject] };
        },
      }),
      createProtoAuthzInterceptor(),
    ],
  });
  await server.start();
  return server;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  await main({ dirPath: process.argv[2] ?? "/run/spiffe" });
}
