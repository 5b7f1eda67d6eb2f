import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, constants } from "node:http2";
import { text } from "node:stream/consumers";
import { describe, test } from "node:test";
import { createClient, type Interceptor } from "@connectrpc/connect";
import { createServer, defineService, type ProtocolContext } from "connectum/core";
import { createTestServer } from "connectum/testing";
import { GreeterService } from "../../examples/greeter/gen/greeter/v1/greeter_pb.js";
import { greeter } from "../../examples/greeter/service.ts";
import { createTransport } from "../support/transports.ts";
import { withResolvers } from "../support/with-resolvers.ts";

describe("protocols", () => {
  test("HTTP handlers run in order, for both HTTP versions; unclaimed requests get 404", async (t) => {
    const asked: string[] = [];
    const { baseUrl } = await createTestServer({
      t,
      protocols: [
        {
          name: "first",
          register() {},
          httpHandler: ({ url }) => {
            asked.push(`first ${url}`);
            return false;
          },
        },
        {
          name: "second",
          register() {},
          async httpHandler({ url }, response) {
            if (url !== "/hello") return false;
            response.writeHead(200, { "content-type": "text/plain" });
            response.end("hi");
            return true;
          },
        },
      ],
    });
    const claimed = await fetch(`${baseUrl}/hello`);
    assert.deepEqual([claimed.status, await claimed.text()], [200, "hi"]);
    assert.equal((await fetch(`${baseUrl}/other`)).status, 404);
    assert.deepEqual(asked, ["first /hello", "first /other"]);
  });

  test("a throwing HTTP handler gives 500 without text and an error event", async (t) => {
    const thrown = new Error("postgres://user:secret@db");
    const { server, baseUrl } = await createTestServer({
      t,
      protocols: [
        {
          name: "broken",
          register() {},
          httpHandler() {
            throw thrown;
          },
        },
      ],
    });
    const reported: unknown[] = [];
    server.on("error", (error) => reported.push(error));
    const response = await fetch(`${baseUrl}/x`);
    assert.deepEqual([response.status, await response.text()], [500, ""]);
    assert.deepEqual(reported, [thrown]);
  });

  test("a handler that answers in the middle of a request leaves no HTTP/2 stream half open", {
    timeout: 10_000,
  }, async (t) => {
    const { server, baseUrl } = await createTestServer({
      t,
      // A stop that waits for the stream is a failure.
      shutdown: { timeout: 60_000 },
      protocols: [
        {
          name: "impatient",
          register() {},
          async httpHandler(request, response) {
            const chunks = request.iterator({ destroyOnReturn: false });
            for await (const _ of chunks) break;
            response.writeHead(413).end("too large");
            return true;
          },
        },
      ],
    });
    const session = connect(baseUrl);
    t.after(() => session.destroy());
    // Never ended, so only the server can end the stream.
    const upload = session.request({ ":method": "POST", ":path": "/upload" });
    upload.write(Buffer.alloc(1024 * 1024));
    const closed = once(upload, "close");
    const [headers] = await once(upload, "response");
    assert.equal(headers[":status"], 413);
    assert.equal(await text(upload), "too large");
    await closed;
    assert.equal(upload.rstCode, constants.NGHTTP2_NO_ERROR);
    await server.stop();
  });

  test("a handler may answer first and read on", async (t) => {
    const read = withResolvers<number>();
    const { baseUrl } = await createTestServer({
      t,
      protocols: [
        {
          name: "eager",
          register() {},
          async httpHandler(request, response) {
            let size = 0;
            for await (const chunk of request) {
              if (size === 0) response.writeHead(202).end();
              size += chunk.byteLength;
            }
            read.resolve(size);
            return true;
          },
        },
      ],
    });
    const session = connect(baseUrl);
    t.after(() => session.destroy());
    const upload = session.request({ ":method": "POST", ":path": "/upload" });
    upload.resume();
    upload.write("first");
    await once(upload, "response");
    await once(upload, "end");
    upload.end(Buffer.alloc(1024 * 1024));
    assert.equal(await read.promise, 5 + 1024 * 1024);
  });

  test("two protocols of one name are refused", async () => {
    const protocol = { name: "twin", register() {} };
    await assert.rejects(createServer({ services: [], protocols: [protocol, protocol] }).start(), {
      code: "DUPLICATE_PROTOCOL",
      message: /"twin"/,
    });
  });

  test("the context lists every mounted service and file, whatever the order of protocols", async (t) => {
    let seen: ProtocolContext | undefined;
    const { server } = await createTestServer({
      t,
      protocols: [
        {
          name: "watcher",
          register(_router, context) {
            seen = context;
          },
        },
        {
          name: "bringer",
          register: (router) => void router.service(GreeterService, greeter),
        },
      ],
    });
    assert.deepEqual(
      seen?.services.map(({ typeName }) => typeName),
      ["greeter.v1.GreeterService"],
    );
    assert.deepEqual(
      seen?.registry.map(({ name }) => name),
      ["greeter/v1/greeter"],
    );
    assert.equal(seen?.shutdownSignal, server.shutdownSignal);
  });

  test("server interceptors apply to a protocol's services unless it passes its own", async (t) => {
    let calls = 0;
    const count: Interceptor = (next) => (request) => {
      calls++;
      return next(request);
    };
    for (const options of [undefined, { interceptors: [] }]) {
      const { baseUrl } = await createTestServer({
        t,
        interceptors: [count],
        protocols: [
          {
            name: "greeter",
            register: (router) => void router.service(GreeterService, greeter, options),
          },
        ],
      });
      const client = createClient(GreeterService, createTransport("Connect h1", baseUrl));
      await client.sayHello({ name: "Ada" });
    }
    assert.equal(calls, 1);
  });
});

describe("extendInterceptor", () => {
  test("attach runs once when routes freeze, and a throw makes start() reject", async (t) => {
    const { extendInterceptor } = await import("connectum/core");
    const attached: string[][] = [];
    const interceptor = extendInterceptor((next) => next, {
      attach: ({ services }) => void attached.push(services.map(({ typeName }) => typeName)),
    });
    const services = [defineService(GreeterService, greeter)];
    await createTestServer({ t, services, interceptors: [interceptor] });
    assert.deepEqual(attached, [["greeter.v1.GreeterService"]]);

    const refusing = extendInterceptor((next) => next, {
      attach() {
        throw new Error("bad rule");
      },
    });
    const server = createServer({ services, interceptors: [refusing] });
    await assert.rejects(server.start(), { message: "bad rule" });
  });

  test("a gate that throws ends the call before the handler; interceptors outside see next reject", async (t) => {
    const { extendInterceptor } = await import("connectum/core");
    const { Code, ConnectError } = await import("@connectrpc/connect");
    const order: string[] = [];
    const outside: Interceptor = (next) => async (request) => {
      try {
        return await next(request);
      } catch (error) {
        order.push(`outside saw ${(error as InstanceType<typeof ConnectError>).code}`);
        throw error;
      }
    };
    const gated = extendInterceptor(
      (next) => (request) => {
        order.push("inside");
        return next(request);
      },
      {
        gate({ header, method }) {
          order.push(`gate ${method.name}`);
          if (!header.get("authorization")) throw new ConnectError("no", Code.Unauthenticated);
        },
      },
    );
    const { baseUrl } = await createTestServer({
      t,
      services: [defineService(GreeterService, greeter)],
      interceptors: [outside, gated],
    });
    const client = createClient(GreeterService, createTransport("gRPC h2", baseUrl));
    await assert.rejects(client.sayHello({ name: "Ada" }), { code: Code.Unauthenticated });
    await client.sayHello({ name: "Ada" }, { headers: { authorization: "x" } });
    assert.deepEqual(order, [
      "gate SayHello",
      `outside saw ${Code.Unauthenticated}`,
      "gate SayHello",
      "inside",
    ]);
  });

  test("a refused call leaves no stream behind, so that stop() has nothing to wait for", {
    timeout: 20_000,
  }, async (t) => {
    const { extendInterceptor } = await import("connectum/core");
    const { Code, ConnectError } = await import("@connectrpc/connect");
    const refusing = extendInterceptor((next) => next, {
      gate() {
        throw new ConnectError("no", Code.Unauthenticated);
      },
    });
    const { server, baseUrl } = await createTestServer({
      t,
      services: [defineService(GreeterService, greeter)],
      interceptors: [refusing],
      shutdown: { timeout: 60_000 },
    });
    for (const name of ["Connect h2", "gRPC h2", "gRPC-Web h2"] as const) {
      const client = createClient(GreeterService, createTransport(name, baseUrl));
      await assert.rejects(client.sayHello({ name: "Ada" }), { code: Code.Unauthenticated });
    }
    await server.stop();
  });
});
