import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Code, createClient, type Interceptor } from "@connectrpc/connect";
import { createServer, defineLazyService, defineService, type ServiceRoute } from "connectum/core";
import { createTestServer } from "connectum/testing";
import { GreeterService } from "../../examples/greeter/gen/greeter/v1/greeter_pb.js";
import { greeter } from "../../examples/greeter/service.ts";
import { createTransport } from "../support/transports.ts";

const route: ServiceRoute = (router) => router.service(GreeterService, greeter);

describe("registration", () => {
  test("a route function, a defineService result and router.rpc all mount methods", async (t) => {
    for (const service of [
      route,
      defineService(GreeterService, greeter),
      ((router) => router.rpc(GreeterService.method.sayHello, greeter.sayHello)) as ServiceRoute,
    ]) {
      const { baseUrl } = await createTestServer({ t, services: [service] });
      const client = createClient(GreeterService, createTransport("gRPC h2", baseUrl));
      assert.equal((await client.sayHello({ name: "Ada" })).greeting, "Hello, Ada!");
    }
  });

  test("class instances work: prototype and inherited methods count and keep this", async (t) => {
    class Base {
      word = "Salut";
      sayHello({ name }: { name: string }) {
        return { greeting: `${this.word}, ${name}!` };
      }
    }
    class Greeter extends Base {
      async *sayHelloInLanguages({ name }: { name: string }) {
        yield { greeting: `${this.word} ${name}` };
      }
    }
    const { baseUrl } = await createTestServer({
      t,
      services: [defineService(GreeterService, new Greeter())],
    });
    const client = createClient(GreeterService, createTransport("Connect h2", baseUrl));
    assert.equal((await client.sayHello({ name: "Ada" })).greeting, "Salut, Ada!");
    for await (const { greeting } of client.sayHelloInLanguages({ name: "Ada" })) {
      assert.equal(greeting, "Salut Ada");
    }
  });

  test("a method left out answers unimplemented, naming itself", async (t) => {
    const { baseUrl } = await createTestServer({
      t,
      services: [defineService(GreeterService, {})],
    });
    const client = createClient(GreeterService, createTransport("gRPC h2", baseUrl));
    await assert.rejects(client.sayHello({}), {
      code: Code.Unimplemented,
      rawMessage: "greeter.v1.GreeterService.SayHello is not implemented",
    });
  });

  test("a lazy service is loaded once, at the first call, and again after a failed load", async (t) => {
    let loads = 0;
    const service = defineLazyService(GreeterService, async () => {
      loads++;
      if (loads === 1) throw new Error("not yet");
      return greeter;
    });
    const { baseUrl } = await createTestServer({ t, services: [service] });
    assert.equal(loads, 0);
    const client = createClient(GreeterService, createTransport("Connect h1", baseUrl));
    await assert.rejects(client.sayHello({ name: "Ada" }), { code: Code.Internal });
    const [first, second] = await Promise.all([
      client.sayHello({ name: "Ada" }),
      client.sayHello({ name: "Bob" }),
    ]);
    assert.deepEqual([first.greeting, second.greeting], ["Hello, Ada!", "Hello, Bob!"]);
    let languages = 0;
    for await (const _ of client.sayHelloInLanguages({ name: "Ada" })) languages++;
    assert.equal(languages, 4);
    assert.equal(loads, 2);
  });

  test("two registrations of one method are refused when routes freeze", async () => {
    const server = createServer({ services: [route, defineService(GreeterService, {})] });
    await assert.rejects(server.start(), {
      code: "DUPLICATE_METHOD",
      message: /greeter\.v1\.GreeterService\/SayHello/,
    });
  });

  test("interceptors of a service run inside those of the server", async (t) => {
    const order: string[] = [];
    const record =
      (name: string): Interceptor =>
      (next) =>
      (request) => {
        order.push(name);
        return next(request);
      };
    const { baseUrl } = await createTestServer({
      t,
      services: [defineService(GreeterService, greeter, { interceptors: [record("service")] })],
      interceptors: [record("outer"), record("inner")],
    });
    const client = createClient(GreeterService, createTransport("gRPC h2", baseUrl));
    await client.sayHello({ name: "Ada" });
    assert.deepEqual(order, ["outer", "inner", "service"]);
  });

  test("a protocol switched off on the server stays off for a service with options", async (t) => {
    const { baseUrl } = await createTestServer({
      t,
      services: [defineService(GreeterService, greeter, { readMaxBytes: 1_000, grpc: true })],
      grpc: false,
    });
    const call = (name: "gRPC h2" | "Connect h2") =>
      createClient(GreeterService, createTransport(name, baseUrl)).sayHello({ name: "Ada" });
    await assert.rejects(call("gRPC h2"));
    assert.equal((await call("Connect h2")).greeting, "Hello, Ada!");
  });

  test("readMaxBytes of a service wins over the server's", async (t) => {
    const { baseUrl } = await createTestServer({
      t,
      services: [defineService(GreeterService, greeter, { readMaxBytes: 10 })],
    });
    const client = createClient(GreeterService, createTransport("gRPC h2", baseUrl));
    await assert.rejects(client.sayHello({ name: "a name that is too long" }), {
      code: Code.ResourceExhausted,
    });
  });

  test("an option of connect-es that would be ignored is refused, with what to do instead", async () => {
    const options = { requireConnectProtocolHeader: true };
    const ignored = { code: "INVALID_OPTION", message: /requireConnectProtocolHeader/ };
    // @ts-expect-error not an option of ServiceOptions
    assert.throws(() => defineService(GreeterService, greeter, options), ignored);
    const routed: ServiceRoute = (router) => router.service(GreeterService, greeter, options);
    await assert.rejects(createServer({ services: [routed] }).start(), ignored);
    const method: ServiceRoute = (router) =>
      router.rpc(GreeterService.method.sayHello, greeter.sayHello, {
        shutdownSignal: AbortSignal.abort(),
      });
    await assert.rejects(createServer({ services: [method] }).start(), {
      code: "INVALID_OPTION",
      message: /greeter\.v1\.GreeterService .*"shutdownSignal".*abortGraceMs/,
    });
  });

  test("an option of a service that does not exist is refused", () => {
    assert.throws(() => defineService(GreeterService, {}, { grpc: true, ...{ readMaxByte: 1 } }), {
      code: "INVALID_OPTION",
      message: /options of greeter\.v1\.GreeterService .*"readMaxByte".*"readMaxBytes"/,
    });
  });
});
