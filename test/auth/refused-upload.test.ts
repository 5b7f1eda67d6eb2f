import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import { request } from "node:http";
import { type ClientHttp2Stream, connect } from "node:http2";
import type { Socket } from "node:net";
import { describe, type TestContext, test } from "node:test";
import { createAuthInterceptor, createJwtAuthInterceptor } from "connectum/auth";
import { startWho } from "./support/doors.ts";

const GIB = 1024 ** 3;
const MOST = 64 * 1024;
const path = "/who.v1.WhoService/";
const chunk = Buffer.alloc(64 * 1024);

/** A server that refuses calls without a token, and the bytes it has read from its sockets. */
async function start(t: TestContext) {
  const sockets: Socket[] = [];
  const onSocket = (message: unknown) => {
    sockets.push((message as { socket: Socket }).socket);
  };
  subscribe("net.server.socket", onSocket);
  t.after(() => unsubscribe("net.server.socket", onSocket));
  const { baseUrl } = await startWho(t, {
    interceptors: [createJwtAuthInterceptor({ secret: "s".repeat(32) })],
    readMaxBytes: 2 ** 31 - 1,
  });
  return { baseUrl, bytesRead: () => sockets.reduce((sum, socket) => sum + socket.bytesRead, 0) };
}

/** Writes as long as somebody takes it, at most 1 GiB. Returns what was handed over. */
function upload(body: NodeJS.WritableStream & { destroyed?: boolean }): () => number {
  let written = 0;
  const more = () => {
    while (written < GIB && body.writable && !body.destroyed) {
      written += chunk.byteLength;
      if (!body.write(chunk)) return;
    }
    if (written >= GIB) body.end();
  };
  body.on("drain", more);
  more();
  return () => written;
}

/** Size of the message in front of it: a gRPC client that announces a gigabyte. */
function envelope(): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(GIB - 5, 1);
  return head;
}

const cases: Array<[string, Record<string, string>]> = [
  ["Ask", { "content-type": "application/grpc+proto", te: "trailers" }],
  ["Collect", { "content-type": "application/grpc+proto", te: "trailers" }],
  ["Converse", { "content-type": "application/grpc-web+proto" }],
  ["Ask", { "content-type": "application/proto" }],
  ["Ask", { "content-type": "application/json", "content-encoding": "gzip" }],
  ["Collect", { "content-type": "application/connect+proto" }],
];

describe("a 1 GiB upload without a token", () => {
  for (const [method, headers] of cases) {
    const type = headers["content-type"] as string;

    test(`${type} to ${method} on HTTP/2: refused, and at most 64 KiB of it read`, async (t) => {
      const { baseUrl, bytesRead } = await start(t);
      const session = connect(baseUrl);
      t.after(() => session.destroy());
      session.on("error", () => {});
      await once(session, "remoteSettings");
      const before = bytesRead();
      const rss = process.memoryUsage().rss;
      const stream = session.request({
        ":method": "POST",
        ":path": path + method,
        ...headers,
      }) as ClientHttp2Stream;
      stream.on("error", () => {});
      stream.resume();
      if (!type.startsWith("application/proto")) stream.write(envelope());
      const written = upload(stream);
      const [answer] = await once(stream, "response");
      await once(stream, "close");
      assert.ok(isRefusal(answer as Record<string, unknown>), JSON.stringify(answer));
      // Frames of 9 bytes more for each 16 KiB, the headers, settings and resets.
      assert.ok(bytesRead() - before <= MOST + 1024, `${bytesRead() - before} bytes read`);
      assert.ok(written() < 16 * 1024 * 1024, `${written()} bytes handed over`);
      assert.ok(process.memoryUsage().rss - rss < 64 * 1024 * 1024);
    });

    if (method === "Converse" || type.startsWith("application/grpc+")) continue;
    test(`${type} to ${method} on HTTP/1.1: refused, and at most 64 KiB of it read`, async (t) => {
      const { baseUrl, bytesRead } = await start(t);
      const call = request(`${baseUrl}${path}${method}`, { method: "POST", headers });
      call.on("error", () => {});
      if (!type.startsWith("application/proto")) call.write(envelope());
      const written = upload(call);
      const [response] = await once(call, "response");
      response.resume();
      if (!response.closed) await once(response, "close");
      assert.ok(isRefusal({ ":status": response.statusCode, ...response.headers }));
      assert.ok(bytesRead() <= MOST, `${bytesRead()} bytes read`);
      // The kernel's buffers take some; the server asks for none of it.
      assert.ok(written() < 64 * 1024 * 1024, `${written()} bytes handed over`);
      call.destroy();
    });
  }
});

test("while a gate takes its time, an HTTP/1.1 upload waits in the kernel and not in memory", async (t) => {
  const sockets: Socket[] = [];
  const onSocket = (message: unknown) => {
    sockets.push((message as { socket: Socket }).socket);
  };
  subscribe("net.server.socket", onSocket);
  t.after(() => unsubscribe("net.server.socket", onSocket));
  let decide = () => {};
  const { baseUrl } = await startWho(t, {
    interceptors: [
      createAuthInterceptor({
        verifyCredentials: () =>
          new Promise<null>((resolve) => {
            decide = () => resolve(null);
          }),
      }),
    ],
  });
  const headers = { "content-type": "application/proto", authorization: "Bearer x" };
  const call = request(`${baseUrl}${path}Ask`, { method: "POST", headers });
  call.on("error", () => {});
  upload(call);
  // Until nobody takes any more.
  let before = -1;
  while (before !== sockets[0]?.bytesRead || before === 0) {
    before = sockets[0]?.bytesRead ?? 0;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.ok(before <= 4 * MOST, `${before} bytes read`);
  decide();
  const [response] = await once(call, "response");
  assert.equal(response.statusCode, 401);
  call.destroy();
});

/** In the status, in a trailers-only answer, or in the end of a stream that is answered with 200. */
function isRefusal(header: Record<string, unknown>): boolean {
  const status = Number(header[":status"]);
  return status === 401 || header["grpc-status"] === "16" || status === 200;
}
