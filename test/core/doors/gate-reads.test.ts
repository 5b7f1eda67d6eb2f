import assert from "node:assert/strict";
import { once } from "node:events";
import * as http from "node:http";
import * as http2 from "node:http2";
import type { Server as NetServer, Socket } from "node:net";
import { describe, type TestContext, test } from "node:test";
import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import { createServer, defineService, extendInterceptor } from "connectum/core";
import { createTestServer } from "connectum/testing";
import { ScriptService } from "../../gen/connectum/script/v1/script_pb.js";

const GIBIBYTE = 1024 ** 3;
const MOST_READ = 64 * 1024;
/** Request line, headers, preface, settings and the headers of frames. */
const FRAMING = 1024;
const MOST_GROWTH = 48 * 1024 * 1024;
const chunk = Buffer.alloc(64 * 1024);

const passThrough: Interceptor = (next) => (request) => next(request);
const refusing = extendInterceptor(passThrough, {
  async gate() {
    await new Promise((resolve) => setImmediate(resolve));
    throw new ConnectError("not for you", Code.Unauthenticated);
  },
});

let visits = 0;
const service = defineService(ScriptService, {
  once() {
    visits++;
    return {};
  },
  async upload() {
    visits++;
    return {};
  },
});

interface Sender {
  readonly name: string;
  /** Sends until it is told to stop; resolves to what the answer says. */
  send(url: string, t: TestContext): Promise<string>;
}

const senders: readonly Sender[] = [
  { name: "Connect h1", send: (url) => sendHttp1(`${url}/Once`, "application/proto") },
  { name: "gRPC-Web h1", send: (url) => sendHttp1(`${url}/Once`, "application/grpc-web") },
  {
    name: "Connect h1 stream",
    send: (url) => sendHttp1(`${url}/Upload`, "application/connect+proto"),
  },
  { name: "Connect h2", send: (url, t) => sendHttp2(`${url}/Once`, "application/proto", t) },
  { name: "gRPC h2", send: (url, t) => sendHttp2(`${url}/Once`, "application/grpc", t) },
  { name: "gRPC-Web h2", send: (url, t) => sendHttp2(`${url}/Once`, "application/grpc-web", t) },
  { name: "gRPC h2 stream", send: (url, t) => sendHttp2(`${url}/Upload`, "application/grpc", t) },
];

describe("a gate that refuses a call", () => {
  for (const { name, send } of senders) {
    test(`reads at most 64 KiB of 1 GiB over ${name}`, async (t) => {
      visits = 0;
      const { server, baseUrl } = await createTestServer({
        t,
        services: [service],
        interceptors: [refusing],
        readMaxBytes: 2 * GIBIBYTE,
      });
      const sockets: Socket[] = [];
      (server.transport as NetServer).on("connection", (socket) => sockets.push(socket));
      const before = process.memoryUsage.rss();
      assert.match(await send(`${baseUrl}/${ScriptService.typeName}`, t), /unauthenticated|16/);
      const bytesRead = sockets.reduce((sum, socket) => sum + socket.bytesRead, 0);
      assert.ok(bytesRead <= MOST_READ + FRAMING, `${bytesRead} bytes were read`);
      const growth = process.memoryUsage.rss() - before;
      assert.ok(growth < MOST_GROWTH, `memory grew by ${growth} bytes`);
      assert.equal(visits, 0);
    });
  }

  test("in process refuses before the handler, whatever the caller would send", async () => {
    visits = 0;
    let asked = 0;
    const requests: AsyncIterable<Record<string, never>> = {
      [Symbol.asyncIterator]: () => ({
        next() {
          asked++;
          return Promise.resolve({ done: false, value: {} });
        },
      }),
    };
    const server = createServer({ services: [service], interceptors: [refusing] });
    const client = server.localClient(ScriptService);
    const isRefusal = (error: unknown) => ConnectError.from(error).code === Code.Unauthenticated;
    await assert.rejects(client.once({}), isRefusal);
    await assert.rejects(client.upload(requests), isRefusal);
    assert.equal(visits, 0);
    assert.ok(asked <= 1, `${asked} messages asked for, the two sides are one apart`);
  });
});

async function sendHttp1(url: string, contentType: string): Promise<string> {
  const request = http.request(url, {
    method: "POST",
    agent: false,
    headers: { "content-type": contentType, "content-length": GIBIBYTE },
  });
  request.on("error", () => {});
  const pouring = pour(request);
  const [response] = (await once(request, "response")) as [http.IncomingMessage];
  let body = "";
  response.on("error", () => {});
  response.on("data", (data: Buffer) => {
    body += data.toString("latin1");
  });
  await pouring;
  return body;
}

async function sendHttp2(url: string, contentType: string, t: TestContext): Promise<string> {
  const { origin, pathname } = new URL(url);
  const session = http2.connect(origin);
  t.after(() => session.destroy());
  const stream = session.request(
    {
      ":method": "POST",
      ":path": pathname,
      "content-type": contentType,
      "content-length": GIBIBYTE,
    },
    { endStream: false },
  );
  stream.on("error", () => {});
  const pouring = pour(stream);
  let answer = "";
  stream.on("response", (headers) => {
    answer += headers["grpc-status"] ?? "";
  });
  stream.on("data", (data: Buffer) => {
    answer += data.toString("latin1");
  });
  await pouring;
  return answer;
}

/** Writes as fast as the other side takes it, until it has everything or wants no more. */
async function pour(target: http.ClientRequest | http2.ClientHttp2Stream): Promise<void> {
  let left = GIBIBYTE;
  const write = () => {
    while (left > 0 && !target.destroyed) {
      left -= chunk.byteLength;
      if (!target.write(chunk)) return;
    }
  };
  target.on("drain", write);
  const closed = new Promise<void>((resolve) => target.once("close", () => resolve()));
  write();
  await closed;
}
