import assert from "node:assert/strict";
import { test } from "node:test";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { createServer, defineService } from "connectum";
import { createServer as createServerOfCore } from "connectum/core";
import { Healthcheck, healthcheckManager, ServingStatus } from "connectum/healthcheck";
import { Reflection } from "connectum/reflection";
import { GreeterService } from "./gen/greeter/v1/greeter_pb.js";

class Greeter {
  sayHello({ name }) {
    if (name === "") throw new ConnectError("name is empty", Code.InvalidArgument);
    return { greeting: `Hello, ${name}!` };
  }

  async *sayHelloInLanguages({ name }) {
    yield { greeting: `Hello, ${name}!` };
    yield { greeting: `Hola, ${name}!` };
  }

  async *converse(requests) {
    for await (const { name } of requests) yield { greeting: `Hello, ${name}!` };
  }
}

async function* names() {
  yield { name: "Grace" };
  yield { name: "Edsger" };
}

async function collect(stream) {
  const greetings = [];
  for await (const { greeting } of stream) greetings.push(greeting);
  return greetings;
}

test(`an installed connectum serves on Node ${process.version}`, async (t) => {
  assert.equal(createServer, createServerOfCore);
  const server = createServer({
    services: [defineService(GreeterService, new Greeter())],
    port: 0,
    host: "127.0.0.1",
    protocols: [Healthcheck({ httpEnabled: true }), Reflection()],
  });
  server.on("ready", () => healthcheckManager.update(ServingStatus.SERVING));
  await server.start();
  const baseUrl = `http://127.0.0.1:${server.address.port}`;
  const transports = {
    "Connect h1": createConnectTransport({ baseUrl, httpVersion: "1.1" }),
    "Connect h2": createConnectTransport({ baseUrl, httpVersion: "2" }),
    "gRPC h2": createGrpcTransport({ baseUrl, httpVersion: "2" }),
    "gRPC-Web h1": createGrpcWebTransport({ baseUrl, httpVersion: "1.1" }),
    "gRPC-Web h2": createGrpcWebTransport({ baseUrl, httpVersion: "2" }),
  };
  for (const [name, transport] of Object.entries(transports)) {
    await t.test(name, async () => {
      const client = createClient(GreeterService, transport);
      assert.equal((await client.sayHello({ name: "Ada" })).greeting, "Hello, Ada!");
      assert.deepEqual(await collect(client.sayHelloInLanguages({ name: "Ada" })), [
        "Hello, Ada!",
        "Hola, Ada!",
      ]);
      if (name.endsWith("h2")) {
        assert.deepEqual(await collect(client.converse(names())), [
          "Hello, Grace!",
          "Hello, Edsger!",
        ]);
      }
      await assert.rejects(client.sayHello({}), {
        code: Code.InvalidArgument,
        rawMessage: "name is empty",
      });
    });
  }
  assert.equal((await fetch(`${baseUrl}/readyz`)).status, 200);
  await server.stop();
  assert.equal(server.state, "stopped");
});
