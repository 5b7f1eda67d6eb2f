import assert from "node:assert/strict";
import * as http2 from "node:http2";
import { describe, type TestContext, test } from "node:test";
import { create, type DescMessage, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import {
  connectNodeAdapter,
  createConnectTransport,
  createGrpcTransport,
} from "@connectrpc/connect-node";
import { type Context, SpanKind, trace } from "@opentelemetry/api";
import { AlwaysOffSampler, NodeTracerProvider } from "@opentelemetry/sdk-trace-node";
import * as experimental from "@opentelemetry/semantic-conventions/incubating";
import {
  ConnectumError,
  createLocalTransport,
  createServer,
  defineService,
  extendInterceptor,
  singleTransportResolver,
} from "connectum/core";
import { createDefaultInterceptors, createMethodFilterInterceptor } from "connectum/interceptors";
import {
  createOtelClientInterceptor,
  createOtelInterceptor,
  type OtelCallOptions,
} from "connectum/otel";
import { createTestServer } from "connectum/testing";
import { EchoRequestSchema, EchoService } from "../gen/connectum/bench/v1/echo_pb.js";
import {
  DownloadResponseSchema,
  OnceRequestSchema,
  OnceResponseSchema,
  ScriptService,
  UploadRequestSchema,
} from "../gen/connectum/script/v1/script_pb.js";
import { createTransport, grid } from "../support/transports.ts";
import { withResolvers } from "../support/with-resolvers.ts";
import { Collected, ManualClock } from "./collected.ts";

// Registers what carries the active span through asynchronous code, and the W3C propagator.
new NodeTracerProvider().register();

const payload = new Uint8Array(5_000).fill(7);
const content = { text: "ünï", payload, figures: { a: 1 } };

const script = defineService(ScriptService, {
  once: ({ content }) => ({ content }),
  async *download({ content }) {
    yield { content };
    yield { content: { text: "more" } };
  },
  async upload(requests) {
    for await (const _ of requests);
    return {};
  },
});

describe("sizes", () => {
  const sizeOf = <D extends DescMessage>(desc: D, init: MessageInitShape<D>) =>
    toBinary(desc, create(desc, init)).byteLength;
  const expected = {
    request:
      sizeOf(OnceRequestSchema, { content }) * 2 + sizeOf(UploadRequestSchema, { content }) * 3,
    response:
      sizeOf(OnceResponseSchema, { content }) +
      sizeOf(DownloadResponseSchema, { content }) +
      sizeOf(DownloadResponseSchema, { content: { text: "more" } }),
  };

  async function callAll(transport: Transport): Promise<void> {
    const client = createClient(ScriptService, transport);
    await client.once({ content });
    for await (const _ of client.download({ content }));
    async function* requests() {
      for (let i = 0; i < 3; i++) yield { content };
    }
    await client.upload(requests());
  }

  async function check(collected: Collected): Promise<void> {
    const metrics = await collected.metrics();
    for (const side of ["client", "server"]) {
      for (const direction of ["request", "response"] as const) {
        const points = metrics.get(`rpc.${side}.${direction}.size`) ?? [];
        const sum = points.reduce((total, { value }) => total + (value as { sum: number }).sum, 0);
        assert.equal(sum, expected[direction], `${side} ${direction}`);
      }
    }
  }

  for (const name of grid) {
    for (const useBinaryFormat of [true, false]) {
      test(`equal the serialised messages, ${name}, ${useBinaryFormat ? "binary" : "JSON"}`, async (t) => {
        const collected = new Collected();
        const { baseUrl } = await createTestServer({
          t,
          services: [script],
          interceptors: [createOtelInterceptor(collected.providers)],
        });
        const interceptors = [createOtelClientInterceptor(collected.providers)];
        await callAll(createTransport(name, baseUrl, undefined, { interceptors, useBinaryFormat }));
        await collected.ended(6);
        await check(collected);
      });
    }
  }

  test("equal the serialised messages, in process", async () => {
    const collected = new Collected();
    const server = createServer({
      services: [script],
      interceptors: [createOtelInterceptor(collected.providers)],
    });
    const interceptors = [createOtelClientInterceptor(collected.providers)];
    await callAll(createLocalTransport(server, { interceptors }));
    await check(collected);
  });
});

describe("parents and links", () => {
  const ids = (collected: Collected) => {
    const { client, server } = collected;
    return {
      parent: server.parentSpanContext?.spanId === client.spanContext().spanId,
      sameTrace: server.spanContext().traceId === client.spanContext().traceId,
      linked: server.links.map(({ context }) => context.spanId === client.spanContext().spanId),
    };
  };

  async function call(t: TestContext, way: string, trustRemote: boolean) {
    const collected = new Collected();
    const { server, baseUrl } = await createTestServer({
      t,
      services: [script],
      interceptors: [createOtelInterceptor({ ...collected.providers, trustRemote })],
    });
    const interceptors = [createOtelClientInterceptor(collected.providers)];
    const transport =
      way === "in process"
        ? createLocalTransport(server, { interceptors })
        : createGrpcTransport({ baseUrl, interceptors });
    await createClient(ScriptService, transport).once({});
    await collected.ended(2);
    return ids(collected);
  }

  test("over HTTP an untrusted caller is linked to a new root", async (t) => {
    const result = await call(t, "http", false);
    assert.deepEqual(result, { parent: false, sameTrace: false, linked: [true] });
  });

  test("over HTTP a trusted caller is the parent", async (t) => {
    const result = await call(t, "http", true);
    assert.deepEqual(result, { parent: true, sameTrace: true, linked: [] });
  });

  test("in process the caller is the parent and linked", async (t) => {
    const result = await call(t, "in process", false);
    assert.deepEqual(result, { parent: true, sameTrace: true, linked: [true] });
  });

  test("in process a trusted caller is the parent by its headers", async (t) => {
    const result = await call(t, "in process", true);
    assert.deepEqual(result, { parent: true, sameTrace: true, linked: [] });
  });

  test("a trace through gateway, local service and remote service is one tree", async (t) => {
    const collected = new Collected();
    const common = collected.providers;
    const remote = await createTestServer({
      t,
      services: [defineService(EchoService, { echo: ({ text }) => ({ text }) })],
      interceptors: [createOtelInterceptor({ ...common, trustRemote: true })],
    });
    const gateway = await createTestServer({
      t,
      services: [
        defineService(ScriptService, {
          async *download() {
            const { content } = await gateway.server.client(ScriptService).once({});
            yield { content };
          },
          async once() {
            const { text } = await gateway.server.client(EchoService).echo({ text: "far" });
            return { content: { text } };
          },
        }),
      ],
      interceptors: [createOtelInterceptor(common)],
      outgoingInterceptors: [createOtelClientInterceptor(common)],
      remoteResolver: singleTransportResolver(createGrpcTransport({ baseUrl: remote.baseUrl })),
    });
    const transport = createConnectTransport({ baseUrl: gateway.baseUrl, httpVersion: "1.1" });
    for await (const { content } of createClient(ScriptService, transport).download({})) {
      assert.equal(content?.text, "far");
    }
    const spans = await collected.ended(5);
    const byId = new Map(spans.map((span) => [span.spanContext().spanId, span]));
    const path: string[] = [];
    let span = spans.find(({ name, kind }) => name.endsWith("/Echo") && kind === SpanKind.SERVER);
    while (span) {
      path.push(`${SpanKind[span.kind]} ${span.name.split("/")[1]}`);
      span = span.parentSpanContext && byId.get(span.parentSpanContext.spanId);
    }
    assert.deepEqual(path, [
      "SERVER Echo",
      "CLIENT Echo",
      "SERVER Once",
      "CLIENT Once",
      "SERVER Download",
    ]);
    assert.equal(new Set(spans.map((span) => span.spanContext().traceId)).size, 1);
  });

  test("the span is active in handlers, generators and inner interceptors to the end", async (t) => {
    for (const sampler of [undefined, new AlwaysOffSampler()]) {
      const collected = new Collected({ sampler });
      const seen = new Set<string | undefined>();
      const look = () => seen.add(trace.getActiveSpan()?.spanContext().spanId);
      let own = "";
      const { baseUrl } = await createTestServer({
        t,
        services: [
          defineService(ScriptService, {
            async *talk(requests) {
              own = trace.getActiveSpan()?.spanContext().spanId ?? "";
              try {
                for await (const _ of requests) {
                  look();
                  yield {};
                  await null;
                  look();
                }
              } finally {
                look();
              }
            },
          }),
        ],
        interceptors: [
          createOtelInterceptor(collected.providers),
          (next) => async (request) => {
            look();
            return next(request);
          },
        ],
      });
      const client = createClient(ScriptService, createGrpcTransport({ baseUrl }));
      async function* requests() {
        yield {};
        yield {};
      }
      for await (const _ of client.talk(requests()));
      assert.match(own, /^[0-9a-f]{16}$/);
      assert.deepEqual([...seen], [own]);
    }
  });
});

describe("calls that never reach the handler", () => {
  test("have a span and a measurement with their code", async (t) => {
    const collected = new Collected();
    const refuse = extendInterceptor((next) => next, {
      gate: ({ header }) => {
        if (header.has("x-stranger")) throw new ConnectError("who are you", Code.Unauthenticated);
      },
    });
    const { baseUrl } = await createTestServer({
      t,
      services: [script],
      // Extended by its user, it still sees what an interceptor does not.
      interceptors: [refuse, extendInterceptor(createOtelInterceptor(collected.providers), {})],
      readMaxBytes: 100,
    });
    const post = (body: string, headers: Record<string, string> = {}) =>
      fetch(`${baseUrl}/connectum.script.v1.ScriptService/Once`, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body,
      });
    await post("{ no json");
    await post(JSON.stringify({ content: { text: "x".repeat(200) } }));
    await post("{}", { "content-encoding": "br-unknown" });
    await post("{}", { "x-stranger": "1" });
    await post("{}", { "connect-timeout-ms": "0" });
    const spans = await collected.ended(5);
    assert.deepEqual(
      spans.map(({ attributes }) => attributes["rpc.connect_rpc.status_code"]),
      [
        "invalid_argument",
        "resource_exhausted",
        "unimplemented",
        "unauthenticated",
        "deadline_exceeded",
      ],
    );
    const errors = (await collected.metrics()).get("rpc.server.errors") ?? [];
    assert.equal(errors.length, 5);
  });

  test("a span starts before the body, and a running call counts as active", async (t) => {
    const collected = new Collected();
    const clock = new ManualClock();
    const startMs = clock.now();
    const { port } = await createTestServer({
      t,
      services: [script],
      interceptors: [createOtelInterceptor({ ...collected.providers, clock })],
    });
    const active = async () =>
      (await collected.metrics()).get("rpc.server.active_requests")?.[0]?.value;
    const session = http2.connect(`http://127.0.0.1:${port}`);
    t.after(() => session.close());
    const stream = session.request({
      ":method": "POST",
      ":path": "/connectum.script.v1.ScriptService/Once",
      "content-type": "application/json",
    });
    stream.write("{");
    // A second call that is answered shows that the headers of the first have arrived.
    const other = session.request({ ":method": "POST", ":path": "/none" });
    await new Promise((resolve) => other.once("response", resolve));
    assert.equal(await active(), 1);
    clock.tick(70);
    stream.end("}");
    stream.resume();
    const [span] = await collected.ended(1);
    assert.equal(await active(), 0);
    assert.deepEqual(span?.startTime, [startMs / 1000, 0]);
    assert.deepEqual(span?.duration, [0, 70_000_000]);
  });
});

for (const side of ["server", "client"] as const) {
  describe(`options of both, given to the ${side}'s`, () => {
    async function callWith(
      t: TestContext,
      options: OtelCallOptions,
      headers: Record<string, string> = {},
    ): Promise<Collected> {
      const collected = new Collected();
      const all = { ...collected.providers, ...options };
      const { baseUrl } = await createTestServer({
        t,
        services: [
          defineService(ScriptService, {
            once(_, { responseHeader }) {
              responseHeader.set("x-answer", "42");
              return {};
            },
            async *download() {
              yield {};
            },
          }),
        ],
        interceptors: side === "server" ? [createOtelInterceptor(all)] : [],
      });
      const interceptors = side === "client" ? [createOtelClientInterceptor(all)] : [];
      const client = createClient(ScriptService, createGrpcTransport({ baseUrl, interceptors }));
      await client.once({}, { headers });
      for await (const _ of client.download({}));
      return collected;
    }

    test("filter leaves methods out and is asked once per method", async (t) => {
      const asked: unknown[] = [];
      const collected = await callWith(t, {
        filter(method) {
          asked.push(method);
          return method.kind !== "unary";
        },
      });
      await collected.ended(1);
      const service = "connectum.script.v1.ScriptService";
      assert.deepEqual(asked, [
        { service, method: "Once", kind: "unary" },
        { service, method: "Download", kind: "server_streaming" },
      ]);
      assert.deepEqual(
        collected.spans.map(({ name }) => name),
        [`${service}/Download`],
      );
    });

    test("attributeFilter drops attributes of spans, events and metrics", async (t) => {
      const collected = await callWith(t, {
        attributeFilter: (key) => !/service|message\.id/.test(key),
      });
      const [, download] = await collected.ended(2);
      assert.deepEqual(Object.keys(download?.attributes ?? {}).sort(), [
        "connectum.transport",
        "rpc.method",
        "rpc.system",
      ]);
      assert.deepEqual(Object.keys(download?.events[0]?.attributes ?? {}), [
        "rpc.message.uncompressed_size",
      ]);
      const [point] = (await collected.metrics()).get(`rpc.${side}.call.duration`) ?? [];
      assert.deepEqual(Object.keys(point?.attributes ?? {}).sort(), [
        "rpc.method",
        "rpc.system",
        "transport",
      ]);
    });

    test("recordMessages: false leaves events out, not sizes", async (t) => {
      const collected = await callWith(t, { recordMessages: false });
      const spans = await collected.ended(2);
      assert.deepEqual(
        spans.map(({ events }) => events.length),
        [0, 0],
      );
      assert.equal((await collected.metrics()).get(`rpc.${side}.response.size`)?.length, 2);
    });

    test("requestHeaders and responseHeaders are allow-lists", async (t) => {
      const collected = await callWith(
        t,
        { requestHeaders: ["X-Tenant"], responseHeaders: ["x-answer", "x-absent"] },
        { "x-tenant": "acme", authorization: "secret" },
      );
      const [once] = await collected.ended(2);
      const attributes = once?.attributes ?? {};
      assert.deepEqual(attributes["rpc.request.header.x-tenant"], ["acme"]);
      assert.deepEqual(attributes["rpc.response.header.x-answer"], ["42"]);
      assert.doesNotMatch(JSON.stringify(attributes), /secret|absent/);
    });

    test("traces: false and metrics: false switch one of both off", async (t) => {
      const untraced = await callWith(t, { traces: false });
      assert.equal((await untraced.metrics()).get(`rpc.${side}.call.duration`)?.length, 2);
      assert.equal(untraced.spans.length, 0);
      const unmeasured = await callWith(t, { metrics: false });
      await unmeasured.ended(2);
      assert.equal((await unmeasured.metrics()).size, 0);
    });

    test("clock gives the times of spans", async (t) => {
      const collected = await callWith(t, { clock: new ManualClock() });
      for (const { startTime, duration } of await collected.ended(2)) {
        assert.deepEqual(
          [startTime, duration],
          [
            [1_000_000_000, 0],
            [0, 0],
          ],
        );
      }
    });

    test("semconv chooses the names of attributes", async (t) => {
      for (const [semconv, names] of [
        ["connectum", ["rpc.system"]],
        ["stable", ["rpc.system.name"]],
      ] as const) {
        const collected = await callWith(t, { semconv });
        const [span] = await collected.ended(2);
        const found = Object.keys(span?.attributes ?? {});
        assert.deepEqual(
          found.filter((name) => name.startsWith("rpc.system")),
          names,
        );
      }
    });
  });
}

describe("options", () => {
  test("a propagator of one's own reads and writes the headers", async (t) => {
    const collected = new Collected();
    const spanContext = { traceId: "a".repeat(32), spanId: "b".repeat(16), traceFlags: 1 };
    const propagator = {
      inject: (
        _: Context,
        carrier: unknown,
        setter: { set(c: unknown, k: string, v: string): void },
      ) => setter.set(carrier, "x-own", "1"),
      extract: (
        base: Context,
        carrier: unknown,
        getter: { get(c: unknown, k: string): unknown },
      ) => (getter.get(carrier, "X-Own") === "1" ? trace.setSpanContext(base, spanContext) : base),
      fields: () => ["x-own"],
    };
    const { baseUrl } = await createTestServer({
      t,
      services: [script],
      interceptors: [
        createOtelInterceptor({ ...collected.providers, propagator, trustRemote: true }),
      ],
    });
    const interceptors = [createOtelClientInterceptor({ ...collected.providers, propagator })];
    await createClient(ScriptService, createGrpcTransport({ baseUrl, interceptors })).once({});
    await collected.ended(2);
    assert.equal(collected.server.parentSpanContext?.spanId, spanContext.spanId);
  });

  test("what is wrong is named", () => {
    const attempts: Array<[() => unknown, RegExp]> = [
      [
        () => createOtelInterceptor({ semconv: "new" as never }),
        /semconv must be one of "connectum", "stable", "dup", got "new"/,
      ],
      [() => createOtelInterceptor({ trustRemotes: true } as never), /did you mean "trustRemote"/],
      [
        () => createOtelInterceptor({ trustRemote: 1 as never }),
        /trustRemote must be true or false, got 1/,
      ],
      [() => createOtelInterceptor({ traces: "no" as never }), /traces must be true or false/],
      [() => createOtelInterceptor({ filter: [] as never }), /filter must be a function/],
      [
        () => createOtelInterceptor({ clock: {} as never }),
        /clock must be a Clock with now\(\), got an object/,
      ],
      [
        () => createOtelInterceptor({ tracerProvider: new Collected() as never }),
        /tracerProvider must be a TracerProvider with getTracer\(\), got an object/,
      ],
      [
        () => createOtelClientInterceptor({ meterProvider: null as never }),
        /meterProvider must be a MeterProvider with getMeter\(\), got null/,
      ],
      [
        () => createOtelInterceptor({ propagator: { inject() {} } as never }),
        /propagator must be a TextMapPropagator with inject\(\) and extract\(\), got an object/,
      ],
      [
        () => createOtelInterceptor({ requestHeaders: "x" as never }),
        /requestHeaders must be a list/,
      ],
      [
        () => createOtelClientInterceptor({ serverPort: 0 }),
        /serverPort must be an integer from 1/,
      ],
      [
        () => createOtelClientInterceptor({ serverPort: 443 }),
        /serverPort belongs to serverAddress/,
      ],
      [
        () => createOtelClientInterceptor({ serverAddress: "" }),
        /serverAddress must be a host name/,
      ],
      [
        () => createOtelClientInterceptor({ trustRemote: true } as never),
        /has no option "trustRemote"/,
      ],
    ];
    for (const [attempt, message] of attempts) {
      assert.throws(attempt, (error) => {
        assert.ok(error instanceof ConnectumError);
        assert.equal(error.code, "INVALID_OPTION");
        assert.match(error.message, message);
        return true;
      });
    }
  });
});

describe("the client interceptor", () => {
  test("takes the target from the URL in stable conventions", async (t) => {
    const collected = new Collected();
    const { baseUrl, port } = await createTestServer({ t, services: [script] });
    const interceptors = [
      createOtelClientInterceptor({ ...collected.providers, semconv: "stable" }),
    ];
    const transport = createConnectTransport({ baseUrl, httpVersion: "1.1", interceptors });
    await createClient(ScriptService, transport).once({});
    const { attributes } = collected.client;
    assert.equal(attributes["server.address"], "127.0.0.1");
    assert.equal(attributes["server.port"], port);
    assert.equal(attributes["rpc.system.name"], "connectrpc");
  });

  test("serverAddress and serverPort stand in for what the URL says", async (t) => {
    const collected = new Collected();
    const { baseUrl } = await createTestServer({ t, services: [script] });
    const target = { serverAddress: "orders.test", serverPort: 443, semconv: "stable" } as const;
    const interceptors = [createOtelClientInterceptor({ ...collected.providers, ...target })];
    const transport = createGrpcTransport({ baseUrl, interceptors });
    await createClient(ScriptService, transport).once({});
    const { attributes } = collected.client;
    assert.equal(attributes["server.address"], "orders.test");
    assert.equal(attributes["server.port"], 443);
  });

  test("a caller that aborts without reading ends its span", async (t) => {
    const collected = new Collected();
    const { baseUrl } = await createTestServer({
      t,
      services: [
        defineService(ScriptService, {
          async *download(_, { signal }) {
            yield {};
            await new Promise((resolve) => signal.addEventListener("abort", resolve));
          },
        }),
      ],
    });
    const interceptors = [createOtelClientInterceptor(collected.providers)];
    const transport = createGrpcTransport({ baseUrl, interceptors });
    const caller = new AbortController();
    async function* requests() {
      yield {};
    }
    await transport.stream(
      ScriptService.method.download,
      caller.signal,
      undefined,
      undefined,
      requests(),
    );
    caller.abort();
    const [span] = await collected.ended(1);
    assert.equal(span?.attributes["rpc.connect_rpc.status_code"], "canceled");
  });

  test("an unreachable server is an error of the client", async () => {
    const collected = new Collected();
    const interceptors = [createOtelClientInterceptor(collected.providers)];
    const transport = createGrpcTransport({ baseUrl: "http://127.0.0.1:1", interceptors });
    await assert.rejects(createClient(ScriptService, transport).once({}));
    assert.equal(collected.client.attributes["rpc.connect_rpc.status_code"], "unavailable");
  });
});

test("works as a plain interceptor of connect-node's adapter", async (t) => {
  const collected = new Collected();
  const server = http2.createServer(
    connectNodeAdapter({
      routes: (router) => void script.register(router),
      interceptors: [createOtelInterceptor(collected.providers)],
    }),
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  const sessions = new Set<http2.Http2Session>();
  server.on("session", (session) => sessions.add(session));
  t.after(() => {
    for (const session of sessions) session.destroy();
    server.close();
  });
  const client = createClient(
    ScriptService,
    createGrpcTransport({ baseUrl: `http://127.0.0.1:${port}` }),
  );
  await client.once({ content: { text: "hi" } });
  for await (const _ of client.download({ content: { text: "hi" } }));
  await assert.rejects(client.nobody({}), { code: Code.Unimplemented });
  const spans = await collected.ended(3);
  assert.deepEqual(
    spans.map(({ name, events, status }) => [name.split("/")[1], events.length, status.code]),
    [
      ["Once", 0, 0],
      ["Download", 3, 0],
      ["Nobody", 1, 2],
    ],
  );
});

test("works behind a method filter, which hides the start and the end from it", async () => {
  const collected = new Collected();
  const filter = createMethodFilterInterceptor({
    "connectum.script.v1.ScriptService/Once": createOtelInterceptor(collected.providers),
  });
  const server = createServer({ services: [script], interceptors: [filter] });
  const client = server.localClient(ScriptService);
  await client.once({ content });
  for await (const _ of client.download({}));
  assert.deepEqual(
    collected.spans.map(({ name }) => name.split("/")[1]),
    ["Once"],
  );
});

test("two servers on one meter provider count their active calls together", async () => {
  const collected = new Collected();
  const entered = [withResolvers(), withResolvers()];
  const leave = withResolvers();
  const calls = entered.map(async ({ resolve }) => {
    const server = createServer({
      services: [
        defineService(EchoService, {
          async echo() {
            resolve();
            await leave.promise;
            return {};
          },
        }),
      ],
      interceptors: [createOtelInterceptor(collected.providers)],
    });
    await server.localClient(EchoService).echo(create(EchoRequestSchema, {}));
  });
  await Promise.all(entered.map(({ promise }) => promise));
  const active = async () =>
    (await collected.metrics()).get("rpc.server.active_requests")?.map(({ value }) => value);
  assert.deepEqual(await active(), [2]);
  leave.resolve();
  await Promise.all(calls);
  assert.deepEqual(await active(), [0]);
});

test("names are those of the semantic conventions", async (t) => {
  const known = new Set<unknown>(Object.values(experimental));
  const collected = new Collected();
  const { baseUrl } = await createTestServer({
    t,
    services: [script],
    interceptors: [
      createOtelInterceptor({
        ...collected.providers,
        semconv: "dup",
        requestHeaders: ["user-agent"],
      }),
    ],
  });
  const client = createClient(ScriptService, createGrpcTransport({ baseUrl }));
  for await (const _ of client.download({}));
  await assert.rejects(client.nobody({}));
  const spans = await collected.ended(2);
  const metrics = await collected.metrics();
  const keys = new Set([
    ...spans.flatMap(({ attributes, events }) => [
      ...Object.keys(attributes),
      ...events.flatMap((event) => Object.keys(event.attributes ?? {})),
    ]),
    ...[...metrics.values()].flat().flatMap(({ attributes }) => Object.keys(attributes)),
    ...metrics.keys(),
  ]);
  assert.ok(keys.has(experimental.ATTR_RPC_REQUEST_HEADER("user-agent")));
  const own = [...keys].filter((key) => !known.has(key)).sort();
  assert.deepEqual(own, [
    "connectum.transport",
    // Known to the Connect conventions as an error code, here under a name of its own.
    "rpc.connect_rpc.status_code",
    experimental.ATTR_RPC_REQUEST_HEADER("user-agent"),
    "rpc.server.active_requests",
    "rpc.server.errors",
    "transport",
  ]);
});

test("in the default chain the logger outside of it knows the span, auth inside is within it", async () => {
  const collected = new Collected();
  const lines: Array<Record<string, unknown>> = [];
  const info = (details: object) => void lines.push({ ...details });
  let inAuth: string | undefined;
  const server = createServer({
    services: [script],
    interceptors: createDefaultInterceptors({
      logger: { logger: { debug: info, info, warn: info, error: info } },
      tracing: createOtelInterceptor(collected.providers),
      auth: (next) => (request) => {
        inAuth = trace.getActiveSpan()?.spanContext().spanId;
        return next(request);
      },
    }),
  });
  const client = createClient(ScriptService, createLocalTransport(server));
  await client.once({});
  for await (const _ of client.download({}));
  const [once, download] = await collected.ended(2);
  assert.deepEqual(
    lines.map(({ spanId }) => spanId),
    [once?.spanContext().spanId, download?.spanContext().spanId],
  );
  assert.equal(inAuth, download?.spanContext().spanId);
});
