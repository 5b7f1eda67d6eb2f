import { createServer, type ProtocolRegistration } from "connectum/core";
import { protocolSuite, resolverSuite, serverContractSuite } from "connectum/testing/suites";
import { GreeterService } from "../../../examples/greeter/gen/greeter/v1/greeter_pb.js";

// Run by bad-parts.test.ts: each part breaks one promise, where its suite must fail.

const foundEverywhere = { unary() {}, stream() {} } as never;
resolverSuite("that knows what it should not", () => foundEverywhere, {
  known: ["one.v1.Service"],
  unknown: ["other.v1.Service"],
});
resolverSuite("that knows nothing", () => null, { known: ["one.v1.Service"] });

const needsGreeter = (): ProtocolRegistration => ({
  name: "greets",
  register() {},
  attach({ services }) {
    if (!services.some(({ typeName }) => typeName === GreeterService.typeName)) {
      throw new Error("no greeter");
    }
  },
});
protocolSuite("that answers no path", needsGreeter, {
  services: [(router) => router.service(GreeterService, {})],
  paths: ["/version"],
});
protocolSuite("that takes every path", () => ({
  name: "takes all",
  register() {},
  httpHandler(_, response) {
    response.end();
    return true;
  },
}));

serverContractSuite(() => createServer({ services: [] }), { name: "a server of nothing" });
