import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { ViolationsSchema } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { Code, ConnectError } from "@connectrpc/connect";
import { defineService, type ServiceDefinition } from "connectum/core";
import { Reflection } from "connectum/reflection";
import { createTestServer } from "connectum/testing";
import { GreeterService } from "../../examples/greeter/gen/greeter/v1/greeter_pb.js";
import { greeter } from "../../examples/greeter/service.ts";
import { catalog } from "../reflection/catalog.ts";
import { connectum, jsonLines, lineOf, startConnectum } from "./connectum.ts";
import { skipGo, startGoServer } from "./servers.ts";

const GREETER = "greeter.v1.GreeterService";

async function start(t: TestContext, services: ServiceDefinition[] = []): Promise<string> {
  const { baseUrl } = await createTestServer({
    t,
    services: [defineService(GreeterService, greeter), ...services],
    protocols: [Reflection()],
  });
  return baseUrl;
}

/** Calls, and returns the responses of a call that succeeded. */
async function call(url: string, method: string, ...args: string[]): Promise<unknown[]> {
  const { code, stdout, stderr } = await connectum(["call", url, method, ...args]);
  assert.equal(code, 0, stderr);
  return jsonLines(stdout);
}

describe("connectum call", { concurrency: 2 }, () => {
  const ways = [
    ["--protocol", "grpc"],
    ["--protocol", "grpc-web"],
    ["--protocol", "grpc-web", "--http1"],
    ["--protocol", "connect"],
    ["--protocol", "connect", "--http1"],
  ];
  for (const way of ways) {
    test(`calls a unary and a server-streaming method: ${way.join(" ")}`, async (t) => {
      const url = await start(t);
      const data = ["-d", '{"name":"Ada"}'];
      assert.deepEqual(await call(url, `${GREETER}/SayHello`, ...data, ...way), [
        { greeting: "Hello, Ada!" },
      ]);
      assert.deepEqual(
        await call(url, `${GREETER}.SayHelloInLanguages`, ...data, ...way),
        ["Hello", "Bonjour", "Hola", "Ciao"].map((word) => ({ greeting: `${word}, Ada!` })),
      );
    });
  }

  test("sends requests of a bidi stream as they arrive and prints answers at once", async (t) => {
    const url = await start(t);
    const { child, result } = startConnectum(["call", url, `${GREETER}/Converse`, "-d", "-"]);
    child.stdin?.write('{"name":');
    child.stdin?.write('"Ada"}\n');
    // Only the answer lets the second request go out: nothing was held back until the end.
    await lineOf(child, /Hello, Ada!/);
    child.stdin?.end('{"name":"Grace"}');
    const { code, stdout } = await result;
    assert.equal(code, 0);
    assert.deepEqual(jsonLines(stdout), [
      { greeting: "Hello, Ada!" },
      { greeting: "Hello, Grace!" },
    ]);
  });

  test("reads requests from a file, several in a row", async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "connectum-call-"));
    t.after(() => rmSync(folder, { recursive: true }));
    const file = join(folder, "requests.json");
    writeFileSync(file, '{"item":{"id":"a"}}\n{"item":\n {"id":"b"}}');
    const url = await start(t, catalog);
    assert.deepEqual(
      await call(url, "connectum.test.v1.CatalogService/AddItems", "-d", `@${file}`),
      [{ count: 2 }],
    );
  });

  test("writes Any, extensions and enums as protobuf's JSON does", async (t) => {
    const url = await start(t, catalog);
    const [response] = await call(
      url,
      "connectum.test.v1.CatalogService/GetItem",
      "-d",
      '{"id":"7"}',
    );
    assert.deepEqual(response, {
      item: {
        id: "7",
        color: "COLOR_RED",
        parts: { a: { name: "bolt" } },
        details: [{ "@type": "type.googleapis.com/connectum.test.v1.Item.Part", name: "bolt" }],
      },
      legacy: { name: "old", entry: [{ key: "k" }], "[connectum.test.v1.nickname]": "nick" },
      modern: { id: "m", delimited: { name: "inner" }, "[connectum.test.v1.annotation]": "noted" },
    });
  });

  test("sends headers given with -H and shows those of the response with -i", async (t) => {
    const seen: string[] = [];
    const { baseUrl } = await createTestServer({
      t,
      services: [
        defineService(GreeterService, {
          sayHello(_, { requestHeader, responseHeader, responseTrailer }) {
            seen.push(requestHeader.get("x-a") ?? "", requestHeader.get("authorization") ?? "");
            responseHeader.set("x-answer", "head");
            responseTrailer.set("x-end", "trailer");
            return {};
          },
        }),
      ],
      protocols: [Reflection()],
    });
    const headers = ["-H", "x-a: 1", "-H", "authorization: Bearer a:b", "-H", "x-a: 2"];
    const { code, stderr } = await connectum([
      "call",
      baseUrl,
      `${GREETER}/SayHello`,
      "-i",
      ...headers,
    ]);
    assert.equal(code, 0);
    assert.deepEqual(seen, ["1, 2", "Bearer a:b"]);
    assert.match(stderr, /^< x-answer: head$/m);
    assert.match(stderr, /^< x-end: trailer$/m);
  });

  test("sends integers that a double cannot hold unchanged", async (t) => {
    const url = await start(t, catalog);
    const big = "9007199254740993";
    const [echo] = await call(
      url,
      "connectum.test.v1.CatalogService/AddItems",
      "-d",
      `{"item":{"cents":${big}}}`,
    );
    assert.deepEqual(echo, { count: 1 });
  });

  test("cancels the call on Ctrl-C, so that the server learns of it", async (t) => {
    let cancelled: (() => void) | undefined;
    const left = new Promise<void>((resolve) => {
      cancelled = resolve;
    });
    const { baseUrl } = await createTestServer({
      t,
      services: [
        defineService(GreeterService, {
          async *sayHelloInLanguages(_, { signal }) {
            yield { greeting: "first" };
            await new Promise((resolve) => signal.addEventListener("abort", resolve));
            cancelled?.();
          },
        }),
      ],
      protocols: [Reflection()],
    });
    const { child, result } = startConnectum(["call", baseUrl, `${GREETER}/SayHelloInLanguages`]);
    await lineOf(child, /first/);
    child.kill("SIGINT");
    await left;
    const { code, stderr } = await result;
    assert.deepEqual({ code, stderr }, { code: 130, stderr: "" });
  });

  test("keeps to --timeout-ms", async (t) => {
    const { baseUrl } = await createTestServer({
      t,
      services: [defineService(GreeterService, { sayHello: () => new Promise(() => {}) })],
      protocols: [Reflection()],
    });
    const args = ["call", baseUrl, `${GREETER}/SayHello`, "--timeout-ms", "50"];
    const { code, stderr } = await connectum(args);
    assert.equal(code, 1);
    assert.match(stderr, /^error: deadline_exceeded: /);
  });
});

const violation = {
  ruleId: "string.min_len",
  message: "is too short",
  field: {
    elements: [
      { fieldName: "items", subscript: { case: "index" as const, value: 2n } },
      { fieldName: "labels", subscript: { case: "stringKey" as const, value: "a" } },
    ],
  },
};

describe("errors of connectum call", { concurrency: 2 }, () => {
  const failing = defineService(GreeterService, {
    sayHello() {
      throw new ConnectError("no such person", Code.NotFound);
    },
  });

  test("shows code and message, exit code 1", async (t) => {
    const { baseUrl } = await createTestServer({
      t,
      services: [failing],
      protocols: [Reflection()],
    });
    for (const protocol of ["grpc", "grpc-web", "connect"]) {
      const args = ["call", baseUrl, `${GREETER}/SayHello`, "--protocol", protocol];
      const { code, stdout, stderr } = await connectum(args);
      assert.deepEqual(
        { code, stdout, stderr },
        { code: 1, stdout: "", stderr: "error: not_found: no such person\n" },
      );
    }
  });

  test("with --json the error is JSON on standard error", async (t) => {
    const { baseUrl } = await createTestServer({
      t,
      services: [failing],
      protocols: [Reflection()],
    });
    const { code, stderr } = await connectum(["call", baseUrl, `${GREETER}/SayHello`, "--json"]);
    assert.equal(code, 1);
    assert.deepEqual(JSON.parse(stderr), {
      code: "not_found",
      message: "no such person",
      details: [],
    });
  });

  test("shows one line for each rule a request breaks", async (t) => {
    const { baseUrl } = await createTestServer({
      t,
      services: [
        defineService(GreeterService, {
          sayHello() {
            throw new ConnectError("invalid", Code.InvalidArgument, undefined, [
              { desc: ViolationsSchema, value: { violations: [violation, { message: "no" }] } },
            ]);
          },
        }),
      ],
      protocols: [Reflection()],
    });
    const { stderr } = await connectum(["call", baseUrl, `${GREETER}/SayHello`]);
    assert.deepEqual(stderr.trimEnd().split("\n"), [
      "error: invalid_argument: invalid",
      '  buf.validate.Violations items[2].labels["a"]: is too short [string.min_len]',
      "  buf.validate.Violations no",
    ]);
  });

  const mistakes: [name: string, data: string, message: RegExp][] = [
    ["a missing colon", '{"name" "Ada"}', /line 1, column 9: expected ":", found "\\""/],
    [
      "a mistake on a later line",
      '{\n  "name": Ada\n}',
      /line 2, column 11: expected a value, found "Ada"/,
    ],
    [
      "a text that ends early",
      '{"name": "Ada"',
      /line 1, column 15: expected "," or "}", found nothing more/,
    ],
    ["a single quote", "{'name': 1}", /line 1, column 2: expected a name in double quotes/],
    ["a string without end", '{"name": "Ada}', /line 1, column 10: this string has no end/],
    ["a trailing comma", '{"name": "Ada",}', /line 1, column 16: expected a name in double quotes/],
    ["an unknown field", '{"nam": "Ada"}', /key "nam" is unknown\nhint: did you mean "name"\?/],
    ["a second request", '{"name":"a"} {"name":"b"}', /SayHello takes one request/],
  ];
  for (const [name, data, message] of mistakes) {
    test(`${name} in -d is a usage error that says where`, async (t) => {
      const url = await start(t);
      const args = ["call", url, `${GREETER}/SayHello`, "-d", data];
      const { code, stdout, stderr } = await connectum(args);
      assert.equal(code, 2, stderr);
      assert.equal(stdout, "");
      assert.match(stderr, message);
    });
  }

  test("a broken second request of a stream names its line in the whole input", async (t) => {
    const url = await start(t);
    const args = ["call", url, `${GREETER}/Converse`, "-d", "-"];
    const { code, stdout, stderr } = await connectum(args, {
      input: '{"name":"Ada"}\n{"name":,}\n',
    });
    assert.equal(code, 2);
    assert.match(stderr, /^error: request 2 is no JSON: line 2, column 9: expected a value/);
    assert.ok(jsonLines(stdout).length <= 1);
  });

  test("a method or service that is not there comes with the nearest name", async (t) => {
    const url = await start(t);
    const method = await connectum(["call", url, `${GREETER}/SayHelo`]);
    assert.equal(method.code, 2);
    assert.match(method.stderr, /hint: did you mean "greeter\.v1\.GreeterService\/SayHello"\?/);
    const service = await connectum(["call", url, "GreeterService/SayHello"]);
    assert.equal(service.code, 2);
    assert.match(service.stderr, /hint: did you mean "greeter\.v1\.GreeterService"\?/);
  });
});

describe("connectum call against grpc-go", { concurrency: 2, skip: skipGo }, () => {
  const service = "grpc.testing.TestService";

  for (const version of ["v1", "v1alpha"]) {
    test(`calls all four kinds, schema through reflection ${version}`, async (t) => {
      const url = await startGoServer(t, ["-reflection", version]);
      assert.deepEqual(await call(url, `${service}/EmptyCall`), [{}]);
      const sizes = [{ size: 3 }, { size: 1 }];
      const payload = (size: number) => ({
        payload: { body: Buffer.alloc(size).toString("base64") },
      });
      assert.deepEqual(
        await call(
          url,
          `${service}/StreamingOutputCall`,
          "-d",
          JSON.stringify({ responseParameters: sizes }),
        ),
        [payload(3), payload(1)],
      );
      const input = JSON.stringify(payload(5));
      assert.deepEqual(await call(url, `${service}/StreamingInputCall`, "-d", input + input), [
        { aggregatedPayloadSize: 10 },
      ]);
      const duplex = JSON.stringify({ responseParameters: [{ size: 2 }] });
      assert.deepEqual(await call(url, `${service}/FullDuplexCall`, "-d", duplex + duplex), [
        payload(2),
        payload(2),
      ]);
    });
  }

  test("says so when there is no reflection", async (t) => {
    const url = await startGoServer(t, ["-reflection", "none"]);
    const { code, stderr } = await connectum(["call", url, `${service}/EmptyCall`]);
    assert.equal(code, 1);
    assert.match(stderr, /^error: the server has no reflection\nhint: .*\n$/);
  });
});
