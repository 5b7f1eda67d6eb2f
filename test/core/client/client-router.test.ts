import assert from "node:assert/strict";
import type { Server as NetServer } from "node:net";
import { describe, type TestContext, test } from "node:test";
import { Code, ConnectError, createRouterTransport, type Interceptor } from "@connectrpc/connect";
import {
  CatalogConfigError,
  createServer,
  defineService,
  dnsResolver,
  type ResolverContext,
  singleTransportResolver,
  transportKey,
} from "connectum/core";
import { createTestServer } from "connectum/testing";
import { GreeterService } from "../../../examples/greeter/gen/greeter/v1/greeter_pb.js";
import { ScriptService } from "../../gen/connectum/script/v1/script_pb.js";
import { withResolvers } from "../../support/with-resolvers.ts";

const greeter = (greeting: string) =>
  defineService(GreeterService, { sayHello: () => ({ greeting }) });
const elsewhere = createRouterTransport((router) => {
  router.service(GreeterService, { sayHello: () => ({ greeting: "remote" }) });
});

/** A server to call over the default transport, and what becomes of its connections. */
async function startRemote(t: TestContext) {
  const remote = await createTestServer({ t, services: [greeter("remote")] });
  const transport = remote.server.transport as NetServer;
  let connections = 0;
  transport.on("connection", () => connections++);
  const connectionClosed = () => {
    const { promise, resolve } = withResolvers();
    transport.once("connection", (socket) => socket.once("close", resolve));
    return promise;
  };
  return { ...remote, connections: () => connections, connectionClosed };
}

describe("server.client", () => {
  test("stays in this process for a mounted service, whatever the resolver knows", async () => {
    const server = createServer({
      services: [greeter("local")],
      remoteResolver: singleTransportResolver(elsewhere),
    });
    const { greeting } = await server.client(GreeterService).sayHello({});
    assert.equal(greeting, "local");
  });

  test("goes over the resolver's transport otherwise", async () => {
    const server = createServer({
      services: [],
      remoteResolver: singleTransportResolver(elsewhere),
    });
    const { greeting } = await server.client(GreeterService).sayHello({});
    assert.equal(greeting, "remote");
  });

  test("asks the resolver once per service and endpoint", () => {
    const asked: ResolverContext[] = [];
    const server = createServer({
      services: [],
      remoteResolver(context) {
        asked.push(context);
        return elsewhere;
      },
    });
    for (const endpoint of [undefined, "a", "b", "a", undefined]) {
      server.client(GreeterService, { endpoint });
    }
    server.client(ScriptService);
    assert.deepEqual(asked, [
      { typeName: "greeter.v1.GreeterService", endpoint: undefined },
      { typeName: "greeter.v1.GreeterService", endpoint: "a" },
      { typeName: "greeter.v1.GreeterService", endpoint: "b" },
      { typeName: "connectum.script.v1.ScriptService", endpoint: undefined },
    ]);
  });

  test("without a resolver throws CatalogConfigError at once, naming the service", () => {
    const server = createServer({ services: [greeter("local")] });
    assert.throws(
      () => server.client(ScriptService),
      (error: CatalogConfigError) => {
        assert.ok(error instanceof CatalogConfigError);
        assert.equal(error.code, "CATALOG_CONFIG");
        assert.match(error.message, /^connectum\.script\.v1\.ScriptService is not mounted/);
        return true;
      },
    );
  });

  test("throws unavailable at once where the resolver knows no transport, and asks again", async () => {
    let transport: typeof elsewhere | null = null;
    const server = createServer({ services: [], remoteResolver: () => transport });
    assert.throws(() => server.client(GreeterService, { endpoint: "b" }), {
      code: Code.Unavailable,
      rawMessage: 'no transport to greeter.v1.GreeterService at "b"',
    });
    transport = elsewhere;
    const client = server.client(GreeterService, { endpoint: "b" });
    assert.equal((await client.sayHello({})).greeting, "remote");
  });

  test("names what a resolver returns that is no transport", () => {
    const server = createServer({ services: [], remoteResolver: (() => ({})) as never });
    assert.throws(() => server.client(GreeterService), {
      code: "INVALID_OPTION",
      message: /^remoteResolver for greeter\.v1\.GreeterService needs a transport/,
    });
  });

  test("refuses an option it does not know", () => {
    const server = createServer({ services: [greeter("local")] });
    assert.throws(() => server.client(GreeterService, { endPoint: "b" } as never), {
      code: "INVALID_OPTION",
      message: /no option "endPoint"; did you mean "endpoint"/,
    });
  });

  test("freezes the routes, and so does hasService(), which goes by type name", () => {
    const server = createServer({ services: [greeter("local")] });
    assert.equal(server.hasService({ ...GreeterService }), true);
    assert.equal(server.hasService(ScriptService), false);
    assert.throws(() => server.addService(greeter("again")), {
      code: "INVALID_STATE",
      message: /routes were frozen by hasService\(\)/,
    });
  });

  test("a service that enabledServices leaves out counts as remote", async () => {
    const script = defineService(ScriptService, { once: () => ({}) });
    const server = createServer({
      services: [greeter("local"), script],
      enabledServices: ["connectum.script.*"],
      remoteResolver: singleTransportResolver(elsewhere),
    });
    assert.equal(server.hasService(ScriptService), true);
    assert.equal(server.hasService(GreeterService), false);
    assert.equal((await server.client(GreeterService).sayHello({})).greeting, "remote");
  });

  test("enabledServices with a pattern that matches nothing is refused, naming what there is", () => {
    const server = createServer({
      services: [greeter("local")],
      enabledServices: ["greeter.*", "greter.v1.*"],
    });
    assert.throws(() => server.hasService(GreeterService), {
      code: "UNKNOWN_SERVICE",
      message:
        'enabledServices has "greter.v1.*", which matches none of the services: greeter.v1.GreeterService',
    });
  });

  test("outgoing interceptors run in order around local and remote calls, and know which it is", async () => {
    const seen: string[] = [];
    const named = (name: string): Interceptor => {
      return (next) => async (request) => {
        const way = request.contextValues.get(transportKey);
        seen.push(`${name} ${way} ${new URL(request.url).pathname}`);
        const response = await next(request);
        seen.push(`${name} done`);
        return response;
      };
    };
    const server = createServer({
      services: [defineService(ScriptService, { once: () => ({}) })],
      remoteResolver: singleTransportResolver(elsewhere),
      outgoingInterceptors: [named("outer"), named("inner")],
    });
    await server.client(ScriptService).once({});
    await server.client(GreeterService).sayHello({});
    assert.deepEqual(seen, [
      "outer in-process /connectum.script.v1.ScriptService/Once",
      "inner in-process /connectum.script.v1.ScriptService/Once",
      "inner done",
      "outer done",
      "outer http /greeter.v1.GreeterService/SayHello",
      "inner http /greeter.v1.GreeterService/SayHello",
      "inner done",
      "outer done",
    ]);
  });

  test("an outgoing interceptor may retry, and its time counts for the deadline", async () => {
    let calls = 0;
    const retry: Interceptor = (next) => async (request) => {
      try {
        return await next(request);
      } catch {
        return next({ ...request });
      }
    };
    const server = createServer({
      services: [
        defineService(ScriptService, {
          once(_, context) {
            if (calls++ === 0) throw new ConnectError("again", Code.Unavailable);
            return { content: { number: BigInt(Math.ceil(context.timeoutMs() ?? 0)) } };
          },
        }),
      ],
      outgoingInterceptors: [retry],
    });
    const { content } = await server.client(ScriptService).once({}, { timeoutMs: 5_000 });
    assert.equal(calls, 2);
    assert.ok((content?.number ?? 0n) > 0n && (content?.number ?? 0n) <= 5_000n);
  });

  test("services behind one base URL share a connection, which opens at the first call", async (t) => {
    const remote = await startRemote(t);
    const server = createServer({
      services: [],
      remoteResolver: dnsResolver({ template: `${remote.baseUrl}` }),
    });
    t.after(() => server[Symbol.asyncDispose]());
    const clients = [
      server.client(GreeterService),
      server.client(GreeterService, { endpoint: "b" }),
    ];
    server.client(ScriptService);
    assert.equal(remote.connections(), 0);
    for (const client of clients) assert.equal((await client.sayHello({})).greeting, "remote");
    assert.equal(remote.connections(), 1);
  });

  test("stop() closes the connections the server made; calls fail unavailable from then on", async (t) => {
    const remote = await startRemote(t);
    const isClosed = remote.connectionClosed();
    const { server } = await createTestServer({
      t,
      remoteResolver: dnsResolver({ template: remote.baseUrl }),
    });
    const client = server.client(GreeterService);
    await client.sayHello({});
    await server.stop();
    await isClosed;
    await assert.rejects(client.sayHello({}), { code: Code.Unavailable });
    await assert.rejects(server.client(GreeterService, { endpoint: "b" }).sayHello({}), {
      code: Code.Unavailable,
    });
  });

  test("hooks that run at stop() can still call remote services", async (t) => {
    const remote = await startRemote(t);
    const { server } = await createTestServer({
      t,
      remoteResolver: dnsResolver({ template: remote.baseUrl }),
    });
    const client = server.client(GreeterService);
    let greeting = "";
    server.onShutdown(async () => {
      ({ greeting } = await client.sayHello({}));
    });
    await server.stop();
    assert.equal(greeting, "remote");
  });

  test("a transport the user made outlives the server", async (t) => {
    const { server } = await createTestServer({
      t,
      remoteResolver: singleTransportResolver(elsewhere),
    });
    const client = server.client(GreeterService);
    await server.stop();
    assert.equal((await client.sayHello({})).greeting, "remote");
  });

  test("a server that was never started closes its connections when it is disposed", async (t) => {
    const remote = await startRemote(t);
    const isClosed = remote.connectionClosed();
    const server = createServer({
      services: [],
      remoteResolver: dnsResolver({ template: remote.baseUrl }),
    });
    await server.client(GreeterService).sayHello({});
    await server[Symbol.asyncDispose]();
    await isClosed;
    assert.equal(server.state, "stopped");
  });
});
