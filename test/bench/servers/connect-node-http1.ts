import * as http from "node:http";
import type { AddressInfo } from "node:net";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { EchoService } from "../../gen/connectum/bench/v1/echo_pb.js";
import { answerQuestions } from "./host.ts";
import { echoService } from "./service.ts";

const server = http.createServer(
  connectNodeAdapter({ routes: (router) => void router.service(EchoService, echoService) }),
);
server.listen(0, "127.0.0.1", () => answerQuestions((server.address() as AddressInfo).port));
