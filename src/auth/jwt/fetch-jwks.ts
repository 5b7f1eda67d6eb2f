import * as http from "node:http";
import * as https from "node:https";
import { setTimeout as later } from "node:timers";

/** More than any issuer publishes; an endless answer ends here. */
const MAX_BYTES = 1024 * 1024;

export interface FetchJwksOptions {
  /** For the whole answer, however slowly it trickles. */
  readonly timeoutMs: number;
  readonly agent?: http.Agent;
}

export interface RawJwk {
  readonly kty?: unknown;
  readonly kid?: unknown;
  readonly alg?: unknown;
}

/** The keys of a JWKS endpoint. Redirects are not followed. */
export async function fetchJwks(uri: string, options: FetchJwksOptions): Promise<RawJwk[]> {
  const { timeoutMs, agent } = options;
  const { request } = new URL(uri).protocol === "https:" ? https : http;
  const call = request(uri, { agent, headers: { accept: "application/json" } });
  const limit = later(
    () => call.destroy(new Error(`no complete answer within ${timeoutMs} ms`)),
    timeoutMs,
  );
  try {
    const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
      call.on("response", resolve).on("error", reject).end();
    });
    if (response.statusCode !== 200) throw new Error(`status ${response.statusCode}`);
    return parse(await readText(response));
  } finally {
    clearTimeout(limit);
    if (!call.closed) call.destroy();
  }
}

async function readText(response: http.IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.byteLength;
    if (size > MAX_BYTES) throw new Error(`more than ${MAX_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function parse(text: string): RawJwk[] {
  const { keys } = (JSON.parse(text) ?? {}) as { keys?: unknown };
  const isKeys = Array.isArray(keys) && keys.every((key) => typeof key === "object" && key);
  if (!isKeys) throw new Error("the answer has no list of keys");
  return keys as RawJwk[];
}
