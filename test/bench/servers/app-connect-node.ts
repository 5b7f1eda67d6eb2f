import * as http2 from "node:http2";
import type { AddressInfo } from "node:net";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { EchoService } from "../../gen/connectum/bench/v1/echo_pb.js";
import { echoService } from "./service.ts";

export function main(): Promise<number> {
  const server = http2.createServer(
    connectNodeAdapter({ routes: (router) => void router.service(EchoService, echoService) }),
  );
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
  });
}
