import type { AddressInfo } from "node:net";
import { createServer, defineService } from "connectum/core";
import { EchoService } from "../../gen/connectum/bench/v1/echo_pb.js";
import { echoService } from "./service.ts";

export async function main(): Promise<number> {
  const server = createServer({
    services: [defineService(EchoService, echoService)],
    host: "127.0.0.1",
    port: 0,
  });
  await server.start();
  return (server.address as AddressInfo).port;
}
