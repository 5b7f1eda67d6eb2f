import { createServer, defineService } from "connectum/core";
import { Healthcheck, ServingStatus } from "connectum/healthcheck";
import { GreeterService } from "../../../examples/greeter/gen/greeter/v1/greeter_pb.js";

/** Everything a service can do wrong that the contract suite looks at, but for starting. */
export function buildServer() {
  const health = Healthcheck();
  health.manager.update(ServingStatus.NOT_SERVING);
  return createServer({
    services: [defineService(GreeterService, {})],
    port: 0,
    host: "127.0.0.1",
    protocols: [health, { name: "claims everything", register() {}, httpHandler: answerAnything }],
    interceptors: [
      (next) => async (request) => {
        // The first call of each of two tests is answered, those under way at the stop are not.
        if (request.stream || calls++ < 2) return next(request);
        return new Promise(() => {});
      },
    ],
    shutdown: { timeout: 300 },
  });
}

let calls = 0;

function answerAnything(_: unknown, response: { end(text: string): unknown }): boolean {
  response.end("fine");
  return true;
}
