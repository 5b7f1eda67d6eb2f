import type { JsonWebKey } from "node:crypto";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** How the server behaves, instead of answering with its keys. */
export interface JwksFault {
  readonly status?: number;
  readonly body?: string;
  /** How long an answer takes, in milliseconds; `Infinity` for ever. */
  readonly delayMs?: number;
}

export interface TestJwksServer {
  /** For `createJwtAuthInterceptor({ jwksUri })`. */
  readonly jwksUri: string;
  /** Requests so far. */
  readonly requests: number;
  /** Publishes other keys from now on. */
  publish(keys: ReadonlyArray<{ readonly jwk: JsonWebKey }>): void;
  /** Misbehaves from now on; `undefined` ends it. */
  fail(fault: JwksFault | undefined): void;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** A JWKS endpoint on a free loopback port, which publishes the keys of `generateTestKeypair()`. */
export async function startTestJwksServer(
  keys: ReadonlyArray<{ readonly jwk: JsonWebKey }> = [],
): Promise<TestJwksServer> {
  let published = keys;
  let fault: JwksFault | undefined;
  let requests = 0;
  const delays = new Set<NodeJS.Timeout>();
  const answer = (response: ServerResponse, { status = 200, body }: JwksFault = {}) => {
    response.writeHead(status, { "content-type": "application/json" });
    response.end(body ?? JSON.stringify({ keys: published.map(({ jwk }) => jwk) }));
  };
  const server = createServer((_, response) => {
    requests++;
    const { delayMs = 0 } = fault ?? {};
    if (delayMs === 0) answer(response, fault);
    else if (Number.isFinite(delayMs)) {
      delays.add(setTimeout(answer, delayMs, response, fault));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const close = () => {
    for (const delay of delays) clearTimeout(delay);
    server.closeAllConnections();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  };
  return {
    jwksUri: `http://127.0.0.1:${port}/.well-known/jwks.json`,
    get requests() {
      return requests;
    },
    publish(next) {
      published = next;
    },
    fail(next) {
      fault = next;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
