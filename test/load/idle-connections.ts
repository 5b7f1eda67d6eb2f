import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { LoadService } from "../gen/connectum/load/v1/load_pb.js";
import { encodeFrame } from "../support/raw-http2.ts";
import { MeasuredServer } from "./measured-server.ts";

// Opens many HTTP/2 connections that then say nothing, and calls beside them.
// Usage: npm run test:connections [-- 10000]

export interface IdleResult {
  readonly connections: number;
  readonly kibPerConnection: number;
  readonly calls: number;
  readonly left: number;
}

const preface = Buffer.concat([
  Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
  encodeFrame("SETTINGS", 0, 0),
]);
const BATCH = 100;

export async function holdIdle(count: number): Promise<IdleResult> {
  const server = await MeasuredServer.start();
  const before = await server.memory();
  const sockets: Socket[] = [];
  while (sockets.length < count) {
    const batch = Array.from({ length: Math.min(BATCH, count - sockets.length) }, async () => {
      const socket = connect(server.port, "127.0.0.1");
      socket.on("error", () => {});
      socket.write(preface);
      await once(socket, "data");
      socket.write(encodeFrame("SETTINGS", 1, 0));
      socket.resume();
      sockets.push(socket);
    });
    await Promise.all(batch);
  }
  const during = await server.memory();
  const client = createClient(LoadService, createGrpcTransport({ baseUrl: server.baseUrl }));
  let calls = 0;
  for (; calls < 100; calls++) await client.echo({ text: "beside" }, { timeoutMs: 10_000 });
  for (const socket of sockets) socket.destroy();
  let left = await server.memory();
  while (left.connections > 1) left = await server.memory();
  await server.stop();
  return {
    connections: during.connections,
    kibPerConnection: Math.round(((during.rssMiB - before.rssMiB) * 1024) / count),
    calls,
    left: left.connections,
  };
}

if (process.argv[1]?.endsWith("idle-connections.ts")) {
  const count = Number(process.argv[2] ?? 10_000);
  const result = await holdIdle(count);
  console.table(result);
  process.exit(result.connections === count && result.calls === 100 ? 0 : 1);
}
