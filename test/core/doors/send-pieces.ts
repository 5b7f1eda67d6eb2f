import { once } from "node:events";
import * as http from "node:http";
import type * as http2 from "node:http2";
import { setImmediate as turn } from "node:timers/promises";

/** A body in the pieces it is written in, each with the turns of the event loop that pass after it. */
export type Pieces = ReadonlyArray<{ readonly bytes: Buffer; readonly pause: number }>;

/** Resolves to the body of the answer. */
export async function sendHttp1(
  port: number,
  path: string,
  headers: Readonly<Record<string, string>>,
  pieces: Pieces,
  agent: http.Agent | false = false,
): Promise<Buffer> {
  const options = { host: "127.0.0.1", port, path, method: "POST", headers, agent };
  const request = http.request(options);
  const [[response]] = await Promise.all([
    once(request, "response") as Promise<[http.IncomingMessage]>,
    writeAll(request, pieces),
  ]);
  return readAll(response);
}

/** Resolves to the body of the answer. */
export async function sendHttp2(
  session: http2.ClientHttp2Session,
  path: string,
  headers: Readonly<Record<string, string>>,
  pieces: Pieces,
): Promise<Buffer> {
  const stream = session.request(
    { ":method": "POST", ":path": path, ...headers },
    { endStream: false },
  );
  const [body] = await Promise.all([readAll(stream), writeAll(stream, pieces)]);
  return body;
}

async function writeAll(target: NodeJS.WritableStream, pieces: Pieces): Promise<void> {
  for (const { bytes, pause } of pieces) {
    target.write(bytes);
    for (let left = pause; left > 0; left--) await turn();
  }
  target.end();
}

async function readAll(source: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return Buffer.concat(chunks);
}
