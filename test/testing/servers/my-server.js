import { createServer, defineService } from "connectum/core";
import { Healthcheck, ServingStatus } from "connectum/healthcheck";
import { Reflection } from "connectum/reflection";
import { GreeterService } from "../../../examples/greeter/gen/greeter/v1/greeter_pb.js";

/** What needs no loader for TypeScript. */
export function buildServer() {
  const health = Healthcheck();
  const server = createServer({
    services: [defineService(GreeterService, { sayHello: ({ name }) => ({ greeting: name }) })],
    port: 0,
    host: "127.0.0.1",
    protocols: [health, Reflection()],
  });
  server.on("ready", () => health.manager.update(ServingStatus.SERVING));
  return server;
}
