import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { createServer, defineService } from "connectum/core";
import { createDefaultInterceptors } from "connectum/interceptors";
import {
  ServerCompatRequestSchema,
  ServerCompatResponseSchema,
} from "./gen/connectrpc/conformance/v1/server_compat_pb.js";
import { ConformanceService } from "./gen/connectrpc/conformance/v1/service_pb.js";
import { conformanceService, registry } from "./service.ts";

// Both protocol messages are prefixed with their length as 4 bytes, big endian.
const input = await buffer(process.stdin);
const request = fromBinary(ServerCompatRequestSchema, input.subarray(4, 4 + input.readUInt32BE()));
const { useTls, serverCreds, clientTlsCert, messageReceiveLimit } = request;
if (useTls && !serverCreds) throw new Error("the runner asked for TLS and sent no certificate");

// More than half of the suite's calls to some methods order an error and get it. That is no failure of
// the service, and the breaker cannot know.
const chain = () => createDefaultInterceptors({ circuitBreaker: { isFailure: () => false } });

// HTTP version and protocol of the request are not passed on: everything is served on one port.
const server = createServer({
  services: [defineService(ConformanceService, conformanceService)],
  interceptors: process.argv.includes("--chain") ? chain() : [],
  host: "127.0.0.1",
  port: 0,
  tls: serverCreds && {
    key: Buffer.from(serverCreds.key),
    cert: Buffer.from(serverCreds.cert),
    ...(clientTlsCert.length > 0 && {
      ca: Buffer.from(clientTlsCert),
      clientAuth: "require",
    }),
  },
  readMaxBytes: messageReceiveLimit || undefined,
  // Compress every message, or most cases would test identity only.
  compression: { minBytes: 0 },
  jsonOptions: { registry },
  shutdown: { autoShutdown: true, timeout: 2_000 },
  logger: { debug() {}, info() {}, warn: console.error, error: console.error },
});
await server.start();

const { address, port } = server.address as AddressInfo;
const response = toBinary(
  ServerCompatResponseSchema,
  create(ServerCompatResponseSchema, { host: address, port, pemCert: serverCreds?.cert }),
);
const length = Buffer.alloc(4);
length.writeUInt32BE(response.length);
process.stdout.write(Buffer.concat([length, response]));
