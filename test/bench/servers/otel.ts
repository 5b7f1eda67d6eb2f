import type { AddressInfo } from "node:net";
import type { Interceptor } from "@connectrpc/connect";
import { createServer, defineService } from "connectum/core";
import { createOtelInterceptor } from "connectum/otel";
import { EchoService } from "../../gen/connectum/bench/v1/echo_pb.js";
import { answerQuestions } from "./host.ts";
import { echoService } from "./service.ts";
import { createSampledTelemetry } from "./telemetry.ts";

// Argument: `none` without the interceptor, `no-sdk` with it alone, `sampled` with 1 % and metrics.
const mode = process.argv[2];

function interceptors(): Interceptor[] {
  if (mode === "none") return [];
  if (mode === "no-sdk") return [createOtelInterceptor()];
  return [createSampledTelemetry()];
}

const server = createServer({
  services: [defineService(EchoService, echoService)],
  interceptors: interceptors(),
  host: "127.0.0.1",
  port: 0,
});
await server.start();
answerQuestions((server.address as AddressInfo).port);
