import type { AddressInfo } from "node:net";
import { createClient, type Transport } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { main as callEverything } from "./client.ts";
import { GreeterService } from "./gen/greeter/v1/greeter_pb.js";
import { main as startServer } from "./server.ts";

const server = await startServer(0);
const baseUrl = `http://127.0.0.1:${(server.address as AddressInfo).port}`;
console.log(`greeter serves HTTP/1.1 and HTTP/2 on ${baseUrl}`);

const transports: Record<string, Transport> = {
  "Connect over HTTP/1.1 ": createConnectTransport({ baseUrl, httpVersion: "1.1" }),
  "Connect over HTTP/2   ": createConnectTransport({ baseUrl, httpVersion: "2" }),
  "gRPC over HTTP/2      ": createGrpcTransport({ baseUrl }),
  "gRPC-Web over HTTP/1.1": createGrpcWebTransport({ baseUrl, httpVersion: "1.1" }),
  "gRPC-Web over HTTP/2  ": createGrpcWebTransport({ baseUrl, httpVersion: "2" }),
};
for (const [name, transport] of Object.entries(transports)) {
  const { greeting } = await createClient(GreeterService, transport).sayHello({ name: "Ada" });
  console.log(`${name}  SayHello -> ${greeting}`);
}

const greetings = await callEverything(createGrpcTransport({ baseUrl }));
console.log(`gRPC, unary + server stream + bidi: ${greetings.join(" ")}`);

const ready = await fetch(`${baseUrl}/readyz`);
console.log(`GET /readyz -> ${ready.status}`);

await server.stop();
console.log(`server ${server.state}`);
