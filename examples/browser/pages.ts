import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = (name: string) => fileURLToPath(new URL(`page/${name}`, import.meta.url));

/** Serves the page, at an origin that is not the one of the services it calls. */
export async function main(apiUrl: string, port = 0) {
  const { outputFiles } = await build({
    entryPoints: [here("page.ts")],
    bundle: true,
    minify: true,
    format: "esm",
    define: { API_URL: JSON.stringify(apiUrl) },
    write: false,
  });
  const files = new Map<string | undefined, { type: string; body: string | Buffer }>([
    ["/", { type: "text/html", body: readFileSync(here("index.html")) }],
    ["/style.css", { type: "text/css", body: readFileSync(here("style.css")) }],
    ["/page.js", { type: "text/javascript", body: outputFiles[0]?.text ?? "" }],
  ]);
  const server = createServer((request, response) => {
    const file = files.get(request.url);
    if (!file) return void response.writeHead(404).end();
    const headers = {
      "content-type": `${file.type}; charset=utf-8`,
      "content-security-policy": `default-src 'self'; img-src data:; connect-src ${apiUrl}`,
    };
    response.writeHead(200, headers).end(file.body);
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return {
    origin: `http://localhost:${(server.address() as AddressInfo).port}`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
