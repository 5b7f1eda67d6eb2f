// Compiled, never run: the types of every subpath as a consumer meets them.
import { Code, createClient, type Interceptor, type Transport } from "@connectrpc/connect";
import { type AuthContext, createJwtAuthInterceptor, getAuthContext } from "connectum/auth";
import { createServer, defineService, type Server } from "connectum/core";
import { type ConnectumEnv, parseEnvConfig, serverOptionsFromEnv } from "connectum/core/config";
import { Healthcheck, healthOptionsFromEnv, ServingStatus } from "connectum/healthcheck";
import { createDefaultInterceptors } from "connectum/interceptors";
import { createOtelInterceptor } from "connectum/otel";
import { Reflection } from "connectum/reflection";
import { assertConnectError, createTestServer, type TestServer } from "connectum/testing";
import { transportParityTest } from "connectum/testing/parity";
import { serverContractSuite } from "connectum/testing/suites";
import { GreeterService } from "./gen/greeter/v1/greeter_pb.js";

const config: ConnectumEnv = parseEnvConfig({});
const auth: Interceptor = createJwtAuthInterceptor({ secret: "s".repeat(32) });
const server: Server = createServer({
  services: [
    defineService(GreeterService, {
      sayHello: ({ name }, context) => {
        const caller: AuthContext | undefined = getAuthContext(context);
        return { greeting: `${name} ${caller?.subject}` };
      },
    }),
  ],
  interceptors: createDefaultInterceptors({ auth, tracing: createOtelInterceptor() }),
  protocols: [Healthcheck(healthOptionsFromEnv(config)), Reflection()],
  ...serverOptionsFromEnv(config),
});
// @ts-expect-error: there is no such option
createServer({ services: [], ports: 1 });

export async function call(transport: Transport): Promise<string> {
  const { greeting } = await createClient(GreeterService, transport).sayHello({ name: "Ada" });
  return `${greeting} ${ServingStatus.SERVING}`;
}

export async function inTests(): Promise<void> {
  const testServer: TestServer = await createTestServer({ services: [] });
  await assertConnectError(call(testServer.transport), Code.Unimplemented);
  transportParityTest("parity", { services: [], scenario: ({ transport }) => call(transport) });
  serverContractSuite(() => server);
}
