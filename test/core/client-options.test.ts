import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createRouterTransport, type Interceptor } from "@connectrpc/connect";
import {
  createLocalTransport,
  createServer,
  dnsResolver,
  perServiceEnvResolver,
  type ResolverContext,
} from "connectum/core";
import { GreeterService } from "../../examples/greeter/gen/greeter/v1/greeter_pb.js";
import { greeter } from "../../examples/greeter/service.ts";
import { LoadService } from "../gen/connectum/load/v1/load_pb.js";
import { loadService } from "../load/service.ts";

const remote = createRouterTransport(({ service }) => {
  service(LoadService, { echo: () => ({ text: "remote" }) });
});

describe("options of clients", () => {
  test("remoteResolver finds what is not mounted, by type name and endpoint", async () => {
    const asked: ResolverContext[] = [];
    const server = createServer({
      services: [],
      remoteResolver: (context) => {
        asked.push(context);
        return remote;
      },
    });
    const client = server.client(LoadService, { endpoint: "eu" });
    assert.equal((await client.echo({})).text, "remote");
    assert.deepEqual(asked, [{ typeName: LoadService.typeName, endpoint: "eu" }]);
  });

  test("enabledServices mounts these, and the rest counts as remote", async () => {
    const server = createServer({
      services: [loadService(), ({ service }) => void service(GreeterService, greeter)],
      enabledServices: ["greeter.*"],
      remoteResolver: () => remote,
    });
    assert.equal(server.hasService(GreeterService), true);
    assert.equal(server.hasService(LoadService), false);
    assert.equal((await server.client(LoadService).echo({ text: "Ada" })).text, "remote");
  });

  test("outgoingInterceptors are around local and remote calls, those of a local transport around its own", async () => {
    const seen: string[] = [];
    const note =
      (name: string): Interceptor =>
      (next) =>
      (request) => {
        seen.push(`${name} ${request.method.name}`);
        return next(request);
      };
    const server = createServer({
      services: [({ service }) => void service(GreeterService, greeter)],
      remoteResolver: () => remote,
      outgoingInterceptors: [note("out")],
    });
    await server.client(GreeterService).sayHello({ name: "Ada" });
    await server.client(LoadService).echo({});
    assert.deepEqual(seen, ["out SayHello", "out Echo"]);
    assert.ok(createLocalTransport(server, { interceptors: [note("local")] }));
  });

  test("dnsResolver fills its template and hands it to createTransport", () => {
    const urls: string[] = [];
    const resolve = dnsResolver({
      template: "http://{name}.svc:5000",
      createTransport: (url) => {
        urls.push(String(url));
        return remote;
      },
    });
    assert.equal(resolve({ typeName: "greeter.v1.GreeterService" }), remote);
    assert.match(urls.join(), /^http:\/\/greeter\.svc:5000/);
  });

  test("perServiceEnvResolver reads env and hands its URL to createTransport", () => {
    const urls: string[] = [];
    const resolve = perServiceEnvResolver(
      { "a.v1.A": "A_URL", "b.v1.B": "B_URL" },
      {
        env: { A_URL: "http://a:1", B_URL: "" },
        createTransport: (url) => {
          urls.push(String(url));
          return remote;
        },
      },
    );
    assert.equal(resolve({ typeName: "a.v1.A" }), remote);
    assert.equal(resolve({ typeName: "b.v1.B" }), null);
    assert.match(urls.join(), /^http:\/\/a:1/);
  });
});
