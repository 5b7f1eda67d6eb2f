import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { describe, test } from "node:test";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import {
  createLocalTransport,
  createServer,
  defineService,
  dnsResolver,
  type Server,
} from "connectum/core";
import { createTestServer } from "connectum/testing";
import { GreeterService } from "../../../examples/greeter/gen/greeter/v1/greeter_pb.js";
import { ScriptService } from "../../gen/connectum/script/v1/script_pb.js";
import { createTransport } from "../../support/transports.ts";
import { withResolvers } from "../../support/with-resolvers.ts";

/** How a caller reaches the server, or another one by way of it. Clients are made before it starts. */
const ways: Record<string, (server: Server) => () => Promise<unknown>> = {
  "server.localClient()"(server) {
    const client = server.localClient(GreeterService);
    return () => client.sayHello({});
  },
  "server.client(), local"(server) {
    const client = server.client(GreeterService);
    return () => client.sayHello({});
  },
  "createLocalTransport()"(server) {
    const client = createClient(GreeterService, createLocalTransport(server));
    return () => client.sayHello({});
  },
  "a local stream"(server) {
    const client = server.localClient(GreeterService);
    return async () => {
      for await (const _ of client.sayHelloInLanguages({}));
    };
  },
  "server.client(), remote"(server) {
    const client = server.client(ScriptService);
    return () => client.once({});
  },
  "a new connection"(server) {
    let port = 1;
    return () => {
      ({ port } = (server.address as AddressInfo | null) ?? { port });
      const transport = createTransport("Connect h1", `http://127.0.0.1:${port}`);
      return createClient(GreeterService, transport).sayHello({});
    };
  },
};

const phases = [
  "before start",
  "during start",
  "while it runs",
  "during drainDelayMs",
  "while it drains",
  "in a shutdown hook",
  "after stop",
] as const;

const local = ["ok", "ok", "ok", "ok", "ok", "ok", "unavailable"];
const table: Record<keyof typeof ways, string[]> = {
  "server.localClient()": local,
  "server.client(), local": local,
  "createLocalTransport()": local,
  "a local stream": local,
  "server.client(), remote": local,
  "a new connection": [
    "unavailable",
    "unavailable",
    "ok",
    "ok",
    "unavailable",
    "unavailable",
    "unavailable",
  ],
};

/** Walks a server through its life and makes the call in every phase. */
async function outcomes(
  createCall: (server: Server) => () => Promise<unknown>,
  elsewhere: string,
): Promise<string[]> {
  const results: string[] = [];
  const isHeld = withResolvers();
  const held = withResolvers();
  const server = createServer({
    services: [
      defineService(GreeterService, {
        sayHello: () => ({ greeting: "hello" }),
        async *sayHelloInLanguages() {
          yield { greeting: "hello" };
        },
        async *converse() {
          isHeld.resolve();
          await held.promise;
          yield { greeting: "late" };
        },
      }),
    ],
    remoteResolver: dnsResolver({ template: elsewhere }),
    eventBus: { start: () => note(), stop() {} },
    host: "127.0.0.1",
    port: 0,
    shutdown: { drainDelayMs: 300, timeout: 10_000 },
  });
  const call = createCall(server);
  const note = async () => {
    const code = await call().then(
      () => "ok",
      (error) => Code[ConnectError.from(error).code].toLowerCase(),
    );
    results.push(code);
  };
  server.onShutdown(note);

  await note();
  await server.start();
  await note();
  // A call in flight holds the drain open.
  const stream = server.localClient(GreeterService).converse(open());
  const reading = stream[Symbol.asyncIterator]().next();
  await isHeld.promise;
  const stopped = server.stop();
  await note();
  if (!server.shutdownSignal.aborted) await once(server.shutdownSignal, "abort");
  while (server.address) await new Promise((resolve) => setImmediate(resolve));
  await note();
  held.resolve();
  await reading;
  await stopped;
  await note();
  return results;
}

async function* open() {
  yield { name: "Ada" };
}

describe("calls in each phase of a server's life", () => {
  for (const [way, expected] of Object.entries(table)) {
    test(way, { timeout: 20_000 }, async (t) => {
      const script = defineService(ScriptService, { once: () => ({}) });
      const { baseUrl } = await createTestServer({ t, services: [script] });
      const createCall = ways[way] as (typeof ways)[string];
      const actual = await outcomes(createCall, baseUrl);
      const byPhase = (results: string[]) =>
        Object.fromEntries(phases.map((phase, index) => [phase, results[index]]));
      assert.deepEqual(byPhase(actual), byPhase(expected));
    });
  }
});
