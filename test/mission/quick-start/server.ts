import { createServer } from "connectum/core";
import { Healthcheck, healthcheckManager, ServingStatus } from "connectum/healthcheck";
import { Reflection } from "connectum/reflection";
import routes from "#gen/routes.js";

const server = createServer({
  services: [routes],
  port: 5000,
  protocols: [Healthcheck({ httpEnabled: true }), Reflection()],
  shutdown: { autoShutdown: true, timeout: 30_000 },
});
server.on("ready", () => healthcheckManager.update(ServingStatus.SERVING));
server.on("stop", () => console.log("Server stopped"));
await server.start();
