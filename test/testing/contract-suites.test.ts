import type { ProtocolRegistration } from "connectum/core";
import { mapResolver } from "connectum/core";
import { Healthcheck } from "connectum/healthcheck";
import { Reflection } from "connectum/reflection";
import { mockResolver, mockService } from "connectum/testing";
import { protocolSuite, resolverSuite } from "connectum/testing/suites";
import { GreeterService } from "../../examples/greeter/gen/greeter/v1/greeter_pb.js";

protocolSuite("Healthcheck", () => Healthcheck({ httpEnabled: true }), {
  services: [],
  paths: ["/livez", "/readyz"],
});
protocolSuite("Reflection", () => Reflection());
protocolSuite(
  "one of your own",
  (): ProtocolRegistration => ({
    name: "version",
    register() {},
    httpHandler(request, response) {
      if (request.url !== "/version") return false;
      response.end("1");
      return true;
    },
  }),
  { services: [], paths: ["/version"] },
);

const resolver = mockResolver([mockService(GreeterService, {})]);
resolverSuite("mockResolver", resolver, { known: [GreeterService.typeName] });
const transport = resolver({ typeName: GreeterService.typeName });
resolverSuite("mapResolver", mapResolver({ [GreeterService.typeName]: transport as never }), {
  known: [GreeterService.typeName],
});
