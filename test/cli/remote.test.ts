import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import type { Interceptor } from "@connectrpc/connect";
import { defineService } from "connectum/core";
import { Healthcheck, ServingStatus } from "connectum/healthcheck";
import { Reflection } from "connectum/reflection";
import { createTestServer } from "connectum/testing";
import { GreeterService } from "../../examples/greeter/gen/greeter/v1/greeter_pb.js";
import { greeter } from "../../examples/greeter/service.ts";
import { catalog } from "../reflection/catalog.ts";
import { connectum, jsonLines, lineOf, startConnectum } from "./connectum.ts";
import { inTerminal, plain } from "./terminal.ts";
import { emptyProject } from "./workspace.ts";

async function start(t: TestContext) {
  const health = Healthcheck();
  const { baseUrl, server } = await createTestServer({
    t,
    services: [defineService(GreeterService, greeter), ...catalog],
    protocols: [Reflection(), health],
  });
  return { url: baseUrl, server, health: health.manager };
}

async function output(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await connectum(args);
  assert.equal(code, 0, stderr);
  return stdout;
}

describe("connectum list", () => {
  test("prints services, methods of one, and both as JSON", async (t) => {
    const { url } = await start(t);
    assert.deepEqual((await output("list", url)).trim().split("\n"), [
      "connectum.test.v1.AuditService",
      "connectum.test.v1.CatalogService",
      "greeter.v1.GreeterService",
      "grpc.health.v1.Health",
      "grpc.reflection.v1.ServerReflection",
      "grpc.reflection.v1alpha.ServerReflection",
    ]);
    assert.equal(
      await output("list", url, "greeter.v1.GreeterService"),
      ["SayHello", "SayHelloInLanguages", "Converse"]
        .map((name) => `greeter.v1.GreeterService/${name}\n`)
        .join(""),
    );
    const [service] = JSON.parse(await output("list", url, "greeter.v1.GreeterService", "--json"));
    assert.deepEqual(service.methods[2], {
      name: "Converse",
      kind: "bidi_streaming",
      request: "greeter.v1.ConverseRequest",
      response: "greeter.v1.ConverseResponse",
    });
  });
});

describe("the reflection stream of a command", () => {
  test("is ended, not cancelled: the server has nothing to log", async (t) => {
    const ends: string[] = [];
    const watchEnd: Interceptor = (next) => async (request) => {
      request.signal.addEventListener("abort", () => ends.push("aborted"), { once: true });
      const response = await next(request);
      if (!response.stream) return response;
      const { message } = response;
      return {
        ...response,
        message: (async function* () {
          yield* message;
          ends.push("ended");
        })(),
      };
    };
    const { baseUrl } = await createTestServer({
      t,
      protocols: [Reflection()],
      interceptors: [watchEnd],
    });
    await output("list", baseUrl);
    assert.equal(ends[0], "ended");
  });
});

describe("connectum list in a terminal", () => {
  test("says what comes next, which can be run as it is", async (t) => {
    const { url } = await start(t);
    const next = async (...args: string[]) => {
      const { output } = await inTerminal(args);
      return /: npx connectum (.*)\n$/.exec(plain(output))?.[1]?.split(" ") ?? [];
    };
    const methods = await next("list", url);
    assert.deepEqual(methods, ["list", url, "connectum.test.v1.AuditService"]);
    const method = await next("list", url, "greeter.v1.GreeterService");
    assert.deepEqual(method, ["describe", url, "greeter.v1.GreeterService/SayHello"]);
  });
});

describe("connectum describe", { concurrency: 2 }, () => {
  test("prints a method with its messages and a request to fill in", async (t) => {
    const { url } = await start(t);
    assert.equal(
      await output("describe", url, "greeter.v1.GreeterService/SayHello"),
      `// greeter.v1.GreeterService/SayHello, in greeter/v1/greeter.proto
rpc SayHello(SayHelloRequest) returns (SayHelloResponse) {
  option idempotency_level = NO_SIDE_EFFECTS;
}

message SayHelloRequest {
  string name = 1;
}

message SayHelloResponse {
  string greeting = 1;
}

// As JSON
{
  "name": ""
}
`,
    );
  });

  test("the example of a message with everything in it is a message", async (t) => {
    const { url } = await start(t);
    const name = "connectum.test.v1.Item";
    const { kind, file, example } = JSON.parse(await output("describe", url, name, "--json"));
    assert.deepEqual([kind, file], ["message", "connectum/test/v1/catalog.proto"]);
    // The placeholder of an Any names no type.
    const request = { item: { ...example, details: [] } };
    const method = "connectum.test.v1.CatalogService/AddItems";
    const answer = await output("call", url, method, "-d", JSON.stringify(request));
    assert.deepEqual(jsonLines(answer), [{ count: 1 }]);
  });

  test("a name the server does not know is a usage error", async (t) => {
    const { url } = await start(t);
    const { code, stderr } = await connectum(["describe", url, "greeter.v1.Nobody"]);
    assert.equal(code, 2);
    assert.match(stderr, /^error: the server does not know "greeter\.v1\.Nobody"\nhint: /);
  });
});

describe("connectum health", { concurrency: 2 }, () => {
  test("exits 0 while it serves and 1 while it does not", async (t) => {
    const { url, health } = await start(t);
    assert.equal(await output("health", url), "SERVING\n");
    assert.deepEqual(
      JSON.parse(await output("health", url, "greeter.v1.GreeterService", "--json")),
      {
        status: "SERVING",
        service: "greeter.v1.GreeterService",
      },
    );
    health.update(ServingStatus.NOT_SERVING);
    const { code, stdout } = await connectum(["health", url]);
    assert.deepEqual({ code, stdout }, { code: 1, stdout: "NOT_SERVING\n" });
  });

  test("a service the server does not have is an error", async (t) => {
    const { url } = await start(t);
    const { code, stderr } = await connectum(["health", url, "no.such.Service"]);
    assert.equal(code, 1);
    assert.match(stderr, /^error: the server does not know the service "no\.such\.Service"\n/);
  });

  test("--watch prints every change, and ends with the server", async (t) => {
    const { url, server, health } = await start(t);
    const { child, result } = startConnectum(["health", url, "--watch", "--json"]);
    await lineOf(child, /"SERVING"/);
    const changed = lineOf(child, /"NOT_SERVING"/);
    health.update(ServingStatus.NOT_SERVING);
    await changed;
    await server.stop();
    const { code, stdout, stderr } = await result;
    assert.equal(code, 1);
    assert.match(stderr, /^error: the server ended the watch\nhint: /);
    const lines = jsonLines(stdout) as { status: string; time: string }[];
    assert.deepEqual(lines.map(({ status }) => status).slice(0, 2), ["SERVING", "NOT_SERVING"]);
    assert.ok(lines.every(({ time }) => !Number.isNaN(Date.parse(time))));
  });

  test("--watch in a terminal has colours and times, and Ctrl-C ends it with 0", async (t) => {
    const { url } = await start(t);
    const { code, output } = await inTerminal(["health", url, "--watch"], {
      steps: [{ expect: "SERVING", send: "\u0003" }],
    });
    assert.equal(code, 0, output);
    assert.ok(output.includes("\u001b[32mSERVING"), output);
    assert.match(plain(output), /^\d\d:\d\d:\d\d {2}SERVING$/m);
  });
});

describe("a single response in a terminal", () => {
  test("is indented, and one line with --json", async (t) => {
    const { url } = await start(t);
    const args = ["call", url, "greeter.v1.GreeterService/SayHello", "-d", '{"name":"Ada"}'];
    const shown = await inTerminal(args);
    assert.equal(plain(shown.output), '{\n  "greeting": "Hello, Ada!"\n}\n');
    const line = await inTerminal([...args, "--json"]);
    assert.equal(plain(line.output), '{"greeting":"Hello, Ada!"}\n');
  });
});

describe("connectum proto sync", { concurrency: 2 }, () => {
  async function sync(cwd: string, url: string, ...args: string[]) {
    const all = ["proto", "sync", "--from", url, "--out", "clients", "--json", ...args];
    const { code, stdout, stderr } = await connectum(all, { cwd });
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout);
  }

  test("writes clients that work, and only what changed the second time", async (t) => {
    const { url } = await start(t);
    const cwd = emptyProject(t);
    const planned = await sync(cwd, url, "--service", "greeter.v1.GreeterService", "--dry-run");
    const first = await sync(cwd, url, "--service", "greeter.v1.GreeterService");
    assert.deepEqual(first, planned);
    const files = ["greeter/v1/greeter_pb.d.ts", "greeter/v1/greeter_pb.js"];
    assert.deepEqual(first, {
      services: ["greeter.v1.GreeterService"],
      added: files,
      changed: [],
      same: [],
    });
    const { GreeterService: synced } = await import(join(cwd, "clients/greeter/v1/greeter_pb.js"));
    assert.equal(synced.typeName, GreeterService.typeName);
    writeFileSync(join(cwd, "clients/greeter/v1/greeter_pb.js"), "old");
    const second = await sync(cwd, url);
    assert.deepEqual(second.changed, ["greeter/v1/greeter_pb.js"]);
    assert.deepEqual(second.same, ["greeter/v1/greeter_pb.d.ts"]);
    assert.deepEqual(second.services, [
      "connectum.test.v1.AuditService",
      "connectum.test.v1.CatalogService",
      "greeter.v1.GreeterService",
    ]);
  });

  test("takes a template of one's own", async (t) => {
    const { url } = await start(t);
    const cwd = emptyProject(t);
    const template = {
      version: "v2",
      plugins: [{ local: "protoc-gen-es", out: "ts", opt: "target=ts" }],
    };
    writeFileSync(join(cwd, "sync.yaml"), JSON.stringify(template));
    const args = ["--service", "greeter.v1.GreeterService", "--template", "sync.yaml"];
    assert.deepEqual((await sync(cwd, url, ...args)).added, ["ts/greeter/v1/greeter_pb.ts"]);
  });

  test("without --from or --out says so", async () => {
    const { code, stderr } = await connectum(["proto", "sync", "--out", "x"]);
    assert.deepEqual(
      { code, stderr },
      { code: 2, stderr: "error: proto sync needs --from <url>\n" },
    );
  });
});
