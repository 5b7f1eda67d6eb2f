import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createClient } from "@connectrpc/connect";
import { defineService, peerKey, ServerState } from "connectum/core";
import {
  createLocalClient,
  createTestCertificates,
  createTestServer,
  withTestServer,
} from "connectum/testing";
import { GreeterService } from "../../examples/greeter/gen/greeter/v1/greeter_pb.js";
import { greeter } from "../../examples/greeter/service.ts";

const services = [defineService(GreeterService, greeter)];

describe("createTestServer", () => {
  for (const allowHTTP2 of [true, false]) {
    test(`every transport reaches the server, allowHTTP2: ${allowHTTP2}`, async () => {
      await withTestServer(
        { services, allowHTTP2, transportValidation: "off" },
        async ({ transports }) => {
          for (const name of Object.keys(transports) as Array<keyof typeof transports>) {
            if (name === "grpc" && !allowHTTP2) continue;
            const client = createClient(GreeterService, transports[name]);
            const { greeting } = await client.sayHello({ name });
            assert.equal(greeting, `Hello, ${name}!`);
          }
        },
      );
    });
  }

  test("client interceptors run on every transport", async () => {
    const seen: string[] = [];
    await withTestServer(
      {
        services,
        clientInterceptors: [
          (next) => (request) => {
            seen.push(request.method.name);
            return next(request);
          },
        ],
      },
      async ({ transports }) => {
        for (const transport of Object.values(transports)) {
          await createClient(GreeterService, transport).sayHello({ name: "Ada" });
        }
      },
    );
    assert.deepEqual(seen, Array(6).fill("SayHello"));
  });

  test("a transport speaks the version of HTTP in its name", async () => {
    // Only HTTP/1.1 says in a header what becomes of the connection.
    const versionOf = defineService(GreeterService, {
      sayHello: (_, { requestHeader }) => ({
        greeting: requestHeader.has("connection") ? "1" : "2",
      }),
    });
    await withTestServer({ services: [versionOf] }, async ({ transports }) => {
      const versions: Record<string, string> = {};
      for (const name of ["connect", "connectHttp1", "grpcWeb", "grpcWebHttp1"] as const) {
        const { greeting } = await createClient(GreeterService, transports[name]).sayHello({});
        versions[name] = greeting;
      }
      assert.deepEqual(versions, {
        connect: "2",
        connectHttp1: "1",
        grpcWeb: "2",
        grpcWebHttp1: "1",
      });
    });
  });

  test("serves TLS, and mTLS with the client's certificate", async () => {
    const { ca, server, client } = await createTestCertificates({
      client: { name: "billing", uris: ["spiffe://example.org/billing"] },
    });
    const named = defineService(GreeterService, {
      sayHello: (_, { values }) => ({
        greeting: values.get(peerKey).certificate?.uris.join() ?? "nobody",
      }),
    });
    await withTestServer(
      {
        services: [named],
        tls: { ...server, ca, clientAuth: "require" },
        clientTls: { ca, ...client },
      },
      async ({ transports, baseUrl }) => {
        assert.match(baseUrl, /^https:/);
        const { local: _, ...remote } = transports;
        for (const transport of Object.values(remote)) {
          const { greeting } = await createClient(GreeterService, transport).sayHello({});
          assert.equal(greeting, "spiffe://example.org/billing");
        }
      },
    );
  });

  test("close() stops the server though its clients are still connected", async () => {
    const testServer = await createTestServer({ services });
    await createClient(GreeterService, testServer.transport).sayHello({ name: "Ada" });
    await testServer.close();
    assert.equal(testServer.server.state, ServerState.STOPPED);
    await testServer.close();
  });

  test("ends with the test it is given", async (t) => {
    let server: { readonly state: unknown } | undefined;
    await t.test("a test", async (inner) => {
      ({ server } = await createTestServer({ t: inner, services }));
      assert.equal(server.state, ServerState.RUNNING);
    });
    assert.equal(server?.state, ServerState.STOPPED);
  });

  test("withTestServer closes when the body throws", async () => {
    const boom = new Error("boom");
    let server: { readonly state: unknown } | undefined;
    const failing = withTestServer({ services }, (testServer) => {
      server = testServer.server;
      throw boom;
    });
    await assert.rejects(failing, boom);
    assert.equal(server?.state, ServerState.STOPPED);
  });

  test("refuses what createServer refuses", async () => {
    await assert.rejects(createTestServer({ services, nope: 1 } as never), {
      code: "INVALID_OPTION",
    });
  });

  test("createLocalClient calls a server that is not started", async () => {
    await withTestServer({ services }, async ({ server }) => {
      const { greeting } = await createLocalClient(server, GreeterService).sayHello({ name: "A" });
      assert.equal(greeting, "Hello, A!");
    });
  });
});
