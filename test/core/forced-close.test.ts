import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { defineService } from "connectum/core";
import { createTestCertificates, createTestServer } from "connectum/testing";
import { GreeterService } from "../../examples/greeter/gen/greeter/v1/greeter_pb.js";

const CALLS = 20;

describe("the forced close at the end of shutdown.timeout", () => {
  for (const wire of ["plaintext", "TLS"]) {
    for (const protocol of ["grpc", "connect", "grpcWeb"] as const) {
      test(`no ${protocol} client over ${wire} waits for an answer that never comes`, async () => {
        let arrived = 0;
        let onAllArrived = () => {};
        const allArrived = new Promise<void>((resolve) => {
          onAllArrived = resolve;
        });
        const tls = wire === "TLS" ? (await createTestCertificates()).server : undefined;
        const { server, transports, close } = await createTestServer({
          services: [
            defineService(GreeterService, {
              sayHello() {
                arrived++;
                if (arrived === CALLS) onAllArrived();
                return new Promise(() => {});
              },
            }),
          ],
          tls,
          shutdown: { timeout: 100 },
        });
        const client = createClient(GreeterService, transports[protocol]);
        const calls = Array.from({ length: CALLS }, () =>
          client.sayHello({}, { timeoutMs: 20_000 }),
        );
        const ended = Promise.allSettled(calls);
        await allArrived;
        await server.stop();
        for (const call of await ended) {
          assert.equal(call.status, "rejected");
          assert.notEqual(ConnectError.from(call.reason).code, Code.DeadlineExceeded);
        }
        await close();
      });
    }
  }
});
