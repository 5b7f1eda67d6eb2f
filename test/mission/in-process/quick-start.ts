import { createServer } from "connectum/core";
import { GreeterService } from "./gen/greeter_pb.js";
import { greeterRoutes } from "./greeter.js";

const server = createServer({
  services: [greeterRoutes],
});

// Auto-routing: resolved via the in-process service registry,
// no server.start() required.
const greeter = server.client(GreeterService);

const { message } = await greeter.sayHello({ name: "world" });
console.log(message); // "Hello, world!"
