import { createServer, defineService, type ProtocolRegistration } from "connectum/core";
import { Healthcheck } from "connectum/healthcheck";
import { GreeterService } from "../../examples/greeter/gen/greeter/v1/greeter_pb.js";
import { drainDelayMs, greeterOf, namePath, stopTimeoutMs } from "./service.ts";

// Usage: replica.ts NAME HTTP1_PORT HTTP2_PORT [TLS_DIRECTORY]. One port serves both versions.
const [name = "", , port, tlsDirectory] = process.argv.slice(2);

const whoAmI: ProtocolRegistration = {
  name: "replica",
  register() {},
  httpHandler(request, response) {
    if (request.url !== namePath) return false;
    response.end(name);
    return true;
  },
};

const server = createServer({
  services: [defineService(GreeterService, greeterOf(name))],
  protocols: [Healthcheck({ httpEnabled: true }), whoAmI],
  host: "127.0.0.1",
  port: Number(port),
  tls: tlsDirectory ? { dirPath: tlsDirectory } : undefined,
  shutdown: { autoShutdown: true, drainDelayMs, timeout: stopTimeoutMs },
});
server.on("error", (error) => console.error(error));
await server.start();
console.log("listening");
