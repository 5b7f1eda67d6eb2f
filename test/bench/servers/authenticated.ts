import type { AddressInfo } from "node:net";
import { createAuthzInterceptor, createJwtAuthInterceptor } from "connectum/auth";
import { createServer, defineService } from "connectum/core";
import { createDefaultInterceptors } from "connectum/interceptors";
import { EchoService } from "../../gen/connectum/bench/v1/echo_pb.js";
import { answerQuestions } from "./host.ts";
import { echoService } from "./service.ts";
import { createSampledTelemetry } from "./telemetry.ts";

// Arguments: `hs256`, `rs256` or `bare`, the key, and perhaps `traced`.
const [kind, key = "", traced] = process.argv.slice(2);
const authenticate =
  kind === "rs256"
    ? createJwtAuthInterceptor({ publicKey: key, cache: {} })
    : createJwtAuthInterceptor({ secret: key });
const authorize = createAuthzInterceptor({
  rules: [
    {
      name: "echo",
      methods: ["connectum.bench.*"],
      effect: "allow",
      requires: { scopes: ["echo"] },
    },
  ],
});
const auth = [authenticate, authorize];
const tracing = traced ? createSampledTelemetry() : false;
const server = createServer({
  services: [defineService(EchoService, echoService)],
  host: "127.0.0.1",
  port: 0,
  interceptors: kind === "bare" ? auth : createDefaultInterceptors({ auth, tracing }),
});
await server.start();
answerQuestions((server.address as AddressInfo).port);
