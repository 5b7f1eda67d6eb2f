import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { type Server, ServerState } from "../../core/index.ts";
import { Health, ServingStatus } from "../../healthcheck/index.ts";
import { ServerReflection } from "../../reflection/index.ts";
import { type RunningServer, startForSuite } from "./running-server.ts";

export interface ServerContractOptions {
  /** Default `server`. */
  readonly name?: string;
}

/** Makes a server that is not started: `buildServer` of a service. */
export type BuildServer = () => Server | Promise<Server>;

const CALLS_DURING_DRAIN = 50;

/**
 * Registers tests that a service is fit for production: it starts, is healthy, reflects, refuses
 * garbage and drains without losing a call. Each test starts a server of its own.
 */
export function serverContractSuite(build: BuildServer, options: ServerContractOptions = {}): void {
  const { name = "server" } = options;
  const withServer = (use: (running: RunningServer) => Promise<void>) => async () => {
    const running = await startForSuite(build);
    try {
      await use(running);
    } finally {
      if (running.server.state === ServerState.RUNNING) await running.server.stop();
    }
  };

  describe(name, () => {
    test(
      "starts and mounts services",
      withServer(async ({ server, services }) => {
        assert.equal(server.state, ServerState.RUNNING);
        assert.ok(services.length > 0, "no service is mounted; pass `services` to createServer()");
      }),
    );

    test(
      "is healthy: grpc.health.v1 answers SERVING",
      withServer(async ({ baseUrl, typeNames }) => {
        assert.ok(
          typeNames.includes(Health.typeName),
          'no health service; add Healthcheck() of "connectum/healthcheck" to `protocols`',
        );
        const { status } = await createClient(Health, transportTo(baseUrl)).check({});
        assert.equal(
          status,
          ServingStatus.SERVING,
          "not SERVING; see who calls update() of the health manager, and which check fails",
        );
      }),
    );

    test(
      "reflects every mounted service",
      withServer(async ({ baseUrl, typeNames }) => {
        assert.ok(
          typeNames.includes(ServerReflection.typeName),
          'no reflection; add Reflection() of "connectum/reflection" to `protocols`',
        );
        const listed = await listServices(baseUrl);
        const hidden = typeNames.filter((typeName) => !listed.includes(typeName));
        assert.deepEqual(hidden, [], "mounted, but not listed by reflection");
      }),
    );

    test(
      "refuses garbage, and serves on",
      withServer(async ({ baseUrl, services }) => {
        const method = services.flatMap(({ methods }) => methods)[0];
        assert.ok(method, "no method is mounted");
        const url = `${baseUrl}/${method.parent.typeName}/${method.name}`;
        const post = async (contentType: string, body: ArrayBuffer | string) =>
          (await fetch(url, { method: "POST", headers: { "content-type": contentType }, body }))
            .status;
        assert.equal(await post("text/plain", "hello"), 415, "a content type nobody speaks");
        assert.equal((await fetch(`${baseUrl}/no.such.Service/Method`)).status, 404);
        if (method.methodKind === "unary") {
          const truncated = new Uint8Array([0x0a, 0xff]).buffer;
          const status = await post("application/proto", truncated);
          assert.ok(
            status >= 400 && status < 500,
            `a truncated message is answered with ${status}`,
          );
        }
        assert.equal(await post("text/plain", "hello"), 415, "after the garbage");
      }),
    );

    test(
      "drains without losing a call",
      withServer(async ({ server, baseUrl, services }) => {
        const health = services.find(({ typeName }) => typeName === Health.typeName);
        assert.ok(health, "needs the health service to make calls");
        const client = createClient(Health, transportTo(baseUrl));
        await client.check({});
        const watch = client.watch({})[Symbol.asyncIterator]();
        await watch.next();
        const calls = Array.from({ length: CALLS_DURING_DRAIN }, () => client.check({}));
        const stopping = server.stop();
        const lost = (await Promise.allSettled(calls)).filter(isLost);
        assert.deepEqual(lost, [], "calls under way when stop() was called");
        for (let result = await watch.next(); !result.done; result = await watch.next());
        await stopping;
        assert.equal(server.state, ServerState.STOPPED);
      }),
    );
  });
}

/** A service that does not answer fails its tests instead of holding them up. */
function transportTo(baseUrl: string) {
  return createGrpcTransport({ baseUrl, defaultTimeoutMs: 5_000 });
}

/** `unavailable` says that a call was never taken on, and clients may send it elsewhere. */
function isLost(result: PromiseSettledResult<unknown>): boolean {
  return result.status === "rejected" && ConnectError.from(result.reason).code !== Code.Unavailable;
}

async function listServices(baseUrl: string): Promise<string[]> {
  const client = createClient(ServerReflection, transportTo(baseUrl));
  async function* ask() {
    yield { messageRequest: { case: "listServices", value: "" } } as const;
  }
  for await (const { messageResponse } of client.serverReflectionInfo(ask())) {
    if (messageResponse.case === "listServicesResponse") {
      return messageResponse.value.service.map(({ name }) => name);
    }
  }
  return [];
}
