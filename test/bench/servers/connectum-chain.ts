import type { AddressInfo } from "node:net";
import { createServer, defineService } from "connectum/core";
import { EchoService } from "../../gen/connectum/bench/v1/echo_pb.js";
import { chainOf } from "./chains.ts";
import { answerQuestions } from "./host.ts";
import { echoService } from "./service.ts";

// Argument: which interceptors.
const server = createServer({
  services: [defineService(EchoService, echoService)],
  interceptors: chainOf(process.argv[2]),
  host: "127.0.0.1",
  port: 0,
});
await server.start();
answerQuestions((server.address as AddressInfo).port);
