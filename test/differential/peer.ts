import { once } from "node:events";
import * as http from "node:http";
import * as http2 from "node:http2";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { createTestServer } from "connectum/testing";
import { ScriptService } from "../gen/connectum/script/v1/script_pb.js";
import { scriptService } from "./script-service.ts";
import { type WireRequest, writesOf } from "./wire-request.ts";

/** What came back, before anybody has made sense of it. */
export interface WireAnswer {
  /** `0` if there was none. */
  readonly status: number;
  readonly headers: readonly string[];
  readonly body: Buffer;
  readonly trailers: readonly string[];
  /** Why there is no (whole) answer. */
  readonly failure?: string;
}

/** A server that answers {@link WireRequest}s. */
export interface Peer {
  send(request: WireRequest): Promise<WireAnswer>;
}

export const READ_MAX_BYTES = 16 * 1024;
const MIN_BYTES = 256;

/** node:http2 refuses calls over this many MB, and never forgets a body that its peer did not want. */
const maxSessionMemory = 1_000;

export async function startOurs(t: TestContext): Promise<Peer> {
  const { port } = await createTestServer({
    t,
    services: [(router) => router.service(ScriptService, scriptService)],
    readMaxBytes: READ_MAX_BYTES,
    compression: { minBytes: MIN_BYTES },
    http2Options: { maxSessionMemory },
    // Whoever has its answer resets what it has not sent yet, hundreds of times a second.
    floodLimits: { resetsPerSecond: 1_000_000 },
  });
  return connect(t, port, port);
}

export async function startOracle(t: TestContext): Promise<Peer> {
  const handler = connectNodeAdapter({
    routes: (router) => router.service(ScriptService, scriptService),
    readMaxBytes: READ_MAX_BYTES,
    compressMinBytes: MIN_BYTES,
  });
  const ports: number[] = [];
  const servers = [http.createServer(handler), http2.createServer({ maxSessionMemory }, handler)];
  for (const server of servers) {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    t.after(() => server.close());
    ports.push((server.address() as AddressInfo).port);
  }
  return connect(t, ...(ports as [number, number]));
}

function connect(t: TestContext, http1Port: number, http2Port: number): Peer {
  const agent = new FreshSocketAgent({ keepAlive: true });
  const session = http2.connect(`http://127.0.0.1:${http2Port}`, { maxSessionMemory });
  t.after(() => {
    agent.destroy();
    session.destroy();
  });
  return {
    send: (request) =>
      request.version === 1 ? sendHttp1(http1Port, agent, request) : sendHttp2(session, request),
  };
}

/** Asks for a connection that stays and never uses it twice: the oracle loses requests on those. */
class FreshSocketAgent extends http.Agent {
  keepSocketAlive(): boolean {
    return false;
  }
}

/** A server that does not answer within this time fails the comparison instead of the whole run. */
const PATIENCE_MS = 20_000;

function sendHttp1(port: number, agent: http.Agent, wire: WireRequest): Promise<WireAnswer> {
  return new Promise((resolve) => {
    const { method, path, headers } = wire;
    const request = http.request({
      host: "127.0.0.1",
      port,
      agent,
      method,
      path,
      headers: [["host", "127.0.0.1"], ...headers].flat(),
    });
    request.setTimeout(PATIENCE_MS, () => request.destroy(new Error("no answer")));
    let failure: string | undefined;
    request.on("error", (error: NodeJS.ErrnoException) => {
      failure = error.code ?? error.message;
    });
    let isAnswered = false;
    request.on("close", () => {
      if (!isAnswered) resolve({ ...nothing, failure: failure ?? "closed" });
    });
    request.on("response", (response) => {
      isAnswered = true;
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", () => {});
      response.on("close", () => {
        resolve({
          status: response.statusCode ?? 0,
          headers: response.rawHeaders,
          body: Buffer.concat(chunks),
          trailers: response.rawTrailers,
          failure: response.complete ? undefined : "incomplete",
        });
      });
    });
    for (const chunk of writesOf(wire)) request.write(chunk);
    request.end();
  });
}

function sendHttp2(session: http2.ClientHttp2Session, wire: WireRequest): Promise<WireAnswer> {
  return new Promise((resolve) => {
    const { method, path, headers } = wire;
    const fields: Record<string, string[]> = {};
    for (const [name, value] of headers) {
      if (forbidden.has(name)) continue;
      fields[name] = [...(fields[name] ?? []), value];
    }
    const stream = session.request(
      { ":method": method, ":path": path, ":authority": "127.0.0.1", ...flatten(fields) },
      { endStream: false },
    );
    stream.setTimeout(PATIENCE_MS, () => stream.destroy(new Error("no answer")));
    const answer = { ...nothing, failure: undefined as string | undefined };
    const chunks: Buffer[] = [];
    let isWhole = false;
    stream.on("response", (head, _flags) => {
      answer.status = Number(head[":status"]);
      answer.headers = rawOf(head);
    });
    stream.on("trailers", (fields) => {
      answer.trailers = rawOf(fields);
    });
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.once("end", () => {
      // The answer is whole. Who still has something to send stops, or the oracle would wait for ever.
      isWhole = true;
      if (!stream.writableFinished) {
        setImmediate(() => stream.close(http2.constants.NGHTTP2_CANCEL));
      }
    });
    stream.on("error", (error: NodeJS.ErrnoException) => {
      answer.failure = error.message;
    });
    stream.on("close", () => {
      const { rstCode = 0 } = stream;
      if (rstCode !== http2.constants.NGHTTP2_NO_ERROR && !isWhole)
        answer.failure ??= `reset ${rstCode}`;
      resolve({ ...answer, body: Buffer.concat(chunks) });
    });
    for (const chunk of writesOf(wire)) stream.write(chunk);
    stream.end();
  });
}

const nothing = {
  status: 0,
  headers: [] as readonly string[],
  body: Buffer.alloc(0),
  trailers: [] as readonly string[],
};

/** Headers that frame a message in HTTP/1.1 and that HTTP/2 does not know. */
const forbidden = new Set(["connection", "transfer-encoding", "keep-alive"]);

function flatten(fields: Record<string, string[]>): http2.OutgoingHttpHeaders {
  const entries = Object.entries(fields);
  return Object.fromEntries(
    entries.map(([name, [first, ...rest]]) => [
      name,
      rest.length > 0 ? [first as string, ...rest] : first,
    ]),
  );
}

function rawOf(fields: http2.IncomingHttpHeaders): string[] {
  return Object.entries(fields).flatMap(([name, value]) =>
    name.startsWith(":") ? [] : [value].flat().flatMap((item) => [name, String(item)]),
  );
}
