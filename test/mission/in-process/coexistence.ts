import { createServer } from "connectum/core";
import { MyService, routes } from "./services.js";

const server = createServer({ services: [routes] });

// In-process client works immediately, no socket bound.
const local = server.client(MyService);
await local.doWork({
  /* ... */
});

export const addressBefore = server.address;
// Bind HTTP/2 socket for external clients.
await server.start();

// HTTP and in-process clients can be used concurrently.
export { local, server };
