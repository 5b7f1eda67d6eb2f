import type { ConnectRouter } from "@connectrpc/connect";
import { GreeterService } from "./gen/greeter_pb.js";

export function greeterRoutes(router: ConnectRouter): void {
  router.service(GreeterService, {
    sayHello: ({ name }) => ({ message: `Hello, ${name}!` }),
  });
}
