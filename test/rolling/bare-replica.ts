import { readFileSync } from "node:fs";
import * as http from "node:http";
import * as http2 from "node:http2";
import * as https from "node:https";
import { join } from "node:path";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { GreeterService } from "../../examples/greeter/gen/greeter/v1/greeter_pb.js";
import { drainDelayMs, greeterOf, namePath, readyPath } from "./service.ts";

// The control: what a service without this package does. Readiness goes off and everything is served
// for as long as in the replica under test; then `close()`, and the end when that is done or overdue.
// Usage: bare-replica.ts NAME HTTP1_PORT HTTP2_PORT [TLS_DIRECTORY].
const [name = "", http1Port, http2Port, tlsDirectory] = process.argv.slice(2);
/** Clients that stay connected would hold up the end for ever. */
const closeLimitMs = 6_000;
let isStopping = false;

const handler = connectNodeAdapter({
  routes: (router) => router.service(GreeterService, greeterOf(name)),
  fallback({ url }, anyResponse) {
    // The two classes have no type in common that could be called.
    const response = anyResponse as http.ServerResponse;
    const status = url === readyPath && isStopping ? 503 : 200;
    response.writeHead(status).end(url === namePath ? name : "");
  },
});

const servers = tlsDirectory
  ? [
      https.createServer(readPair(tlsDirectory), handler),
      http2.createSecureServer({ ...readPair(tlsDirectory), allowHTTP1: true }, handler),
    ]
  : [http.createServer(handler), http2.createServer(handler)];

const listening = [http1Port, http2Port].map(
  (port, index) =>
    new Promise<void>((resolve) => servers[index]?.listen(Number(port), "127.0.0.1", resolve)),
);
await Promise.all(listening);
console.log("listening");

process.once("SIGTERM", () => {
  isStopping = true;
  setTimeout(() => process.exit(), closeLimitMs).unref();
  setTimeout(() => {
    for (const server of servers) server.close();
  }, drainDelayMs);
});

function readPair(directory: string) {
  return {
    key: readFileSync(join(directory, "server.key")),
    cert: readFileSync(join(directory, "server.crt")),
  };
}
