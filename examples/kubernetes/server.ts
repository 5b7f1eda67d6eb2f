import type { AddressInfo } from "node:net";
import { pathToFileURL } from "node:url";
import { createServer, defineService, type Server, type ShutdownOptions } from "connectum/core";
import { ConnectumEnvSchema, type Environment, serverOptionsFromEnv } from "connectum/core/config";
import { Healthcheck, healthOptionsFromEnv } from "connectum/healthcheck";
import { createDefaultInterceptors } from "connectum/interceptors";
import { z } from "zod";
import { GreeterService } from "../greeter/gen/greeter/v1/greeter_pb.js";
import { greeter } from "../greeter/service.ts";

const EnvSchema = ConnectumEnvSchema.extend({
  DRAIN_DELAY_MS: z.coerce.number().default(5_000),
  HOOK_TIMEOUT_MS: z.coerce.number().default(5_000),
});

/** How the server stops; what terminationGracePeriodSeconds has to leave room for. */
export function shutdownFromEnv(env: Environment): ShutdownOptions {
  const config = EnvSchema.parse(env);
  return {
    ...serverOptionsFromEnv(config).shutdown,
    drainDelayMs: config.DRAIN_DELAY_MS,
    hookTimeoutMs: config.HOOK_TIMEOUT_MS,
  };
}

export function buildServer(env: Environment = process.env): Server {
  const config = EnvSchema.parse(env);
  return createServer({
    ...serverOptionsFromEnv(config),
    services: [defineService(GreeterService, greeter)],
    protocols: [Healthcheck(healthOptionsFromEnv(config))],
    interceptors: createDefaultInterceptors(),
    shutdown: shutdownFromEnv(env),
    // Connections last for hours otherwise, and pods that come later get no calls.
    maxConnectionAgeMs: 300_000,
  });
}

export async function main(env?: Environment): Promise<Server> {
  const server = buildServer(env);
  await server.start();
  return server;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const server = await main();
  console.log(`greeter listens on port ${(server.address as AddressInfo).port}`);
}
