import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { createClient } from "@connectrpc/connect";
import { createServer, defineService } from "connectum/core";
import { parseEnvConfig, serverOptionsFromEnv } from "connectum/core/config";
import { Healthcheck, healthOptionsFromEnv } from "connectum/healthcheck";
import { createTestCertificates } from "connectum/testing";
import { GreeterService } from "../../../examples/greeter/gen/greeter/v1/greeter_pb.js";
import { createTransport } from "../../support/transports.ts";
import { withResolvers } from "../../support/with-resolvers.ts";

const greeter = defineService(GreeterService, { sayHello: () => ({ greeting: "hello" }) });

/** A server with nothing but what the variables say. */
async function start(t: TestContext, env: Record<string, string>, services = [greeter]) {
  const config = parseEnvConfig(env);
  const server = createServer({
    services,
    protocols: [Healthcheck(healthOptionsFromEnv(config))],
    ...serverOptionsFromEnv(config),
  });
  t.after(() => server[Symbol.asyncDispose]());
  await server.start();
  return { server, address: server.address as AddressInfo };
}

describe("serverOptionsFromEnv", () => {
  test("listens where PORT and LISTEN say", async (t) => {
    const { address: free } = await start(t, { PORT: "0", LISTEN: "127.0.0.1" });
    assert.equal(free.address, "127.0.0.1");
    const { address } = await start(t, { PORT: String(free.port), LISTEN: "127.0.0.2" });
    assert.deepEqual(address, { address: "127.0.0.2", family: "IPv4", port: free.port });
  });

  test("serves TLS with the files of TLS_DIR_PATH", async (t) => {
    const directory = mkdtempSync(join(tmpdir(), "connectum-tls-"));
    t.after(() => rmSync(directory, { recursive: true }));
    const authority = await createTestCertificates();
    const { key, cert } = await authority.issue();
    writeFileSync(join(directory, "server.key"), key);
    writeFileSync(join(directory, "server.crt"), cert);
    const env = { PORT: "0", LISTEN: "127.0.0.1", TLS_DIR_PATH: directory };
    const { address } = await start(t, env);
    const transport = createTransport("gRPC h2", `https://localhost:${address.port}`, {
      ca: authority.ca,
    });
    const { greeting } = await createClient(GreeterService, transport).sayHello({});
    assert.equal(greeting, "hello");
  });

  for (const [enabled, listeners] of [
    ["yes", 1],
    ["no", 0],
  ] as const) {
    test(`GRACEFUL_SHUTDOWN_ENABLED=${enabled} has ${listeners} listener(s) for SIGTERM`, async (t) => {
      const before = process.listenerCount("SIGTERM");
      const env = { PORT: "0", LISTEN: "127.0.0.1", GRACEFUL_SHUTDOWN_ENABLED: enabled };
      await start(t, env);
      assert.equal(process.listenerCount("SIGTERM") - before, listeners);
    });
  }

  for (const timeout of ["0", "50"]) {
    test(`GRACEFUL_SHUTDOWN_TIMEOUT_MS=${timeout} cuts a call that does not end`, async (t) => {
      const entered = withResolvers();
      const stuck = defineService(GreeterService, {
        sayHello() {
          entered.resolve();
          return new Promise(() => {});
        },
      });
      const env = { PORT: "0", LISTEN: "127.0.0.1", GRACEFUL_SHUTDOWN_TIMEOUT_MS: timeout };
      const { server, address } = await start(t, env, [stuck]);
      const transport = createTransport("Connect h1", `http://127.0.0.1:${address.port}`);
      const isCut = assert.rejects(createClient(GreeterService, transport).sayHello({}));
      await entered.promise;
      await server.stop();
      await isCut;
    });
  }
});

describe("healthOptionsFromEnv", () => {
  const statusOf = async (port: number, path: string) =>
    (await fetch(`http://127.0.0.1:${port}${path}`)).status;

  test("HTTP_HEALTH_ENABLED and HTTP_HEALTH_PATH open the probe at that path", async (t) => {
    const env = {
      PORT: "0",
      LISTEN: "127.0.0.1",
      HTTP_HEALTH_ENABLED: "true",
      HTTP_HEALTH_PATH: "/up",
      GRACEFUL_SHUTDOWN_TIMEOUT_MS: "50",
    };
    const { address } = await start(t, env);
    assert.notEqual(await statusOf(address.port, "/up"), 404);
    assert.equal(await statusOf(address.port, "/healthz"), 404);
  });

  test("without it there is no probe", async (t) => {
    const env = { PORT: "0", LISTEN: "127.0.0.1", GRACEFUL_SHUTDOWN_TIMEOUT_MS: "50" };
    const { address } = await start(t, env);
    assert.equal(await statusOf(address.port, "/healthz"), 404);
  });
});
