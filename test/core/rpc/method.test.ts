import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { create, isMessage } from "@bufbuild/protobuf";
import {
  Code,
  ConnectError,
  createClient,
  type Interceptor,
  type ServiceImpl,
  type StreamRequest,
  type StreamResponse,
  type UnaryRequest,
  type UnaryResponse,
} from "@connectrpc/connect";
import { defineService, extendInterceptor, type GateContext, peerKey } from "connectum/core";
import { createOtelInterceptor } from "connectum/otel";
import { createTestServer, InMemorySpanCollector } from "connectum/testing";
import {
  LookRequestSchema,
  LookResponseSchema,
  ScriptService,
} from "../../gen/connectum/script/v1/script_pb.js";
import {
  type Answer,
  callKind,
  type Kind,
  kinds,
  type ScriptClient,
} from "../../interceptors/doors.ts";
import { createTransport } from "../../support/transports.ts";

type Implementation = Partial<ServiceImpl<typeof ScriptService>>;
type AnyRequest = UnaryRequest | StreamRequest;
type AnyResponse = UnaryResponse | StreamResponse;

const plain: Interceptor = (next) => (request) => next(request);

/** Every way through a method: with a chain around it or without, from here or from the network. */
const ways = [
  { name: "in process", isLocal: true, interceptors: [] },
  { name: "in process, through interceptors", isLocal: true, interceptors: [plain] },
  { name: "over gRPC", isLocal: false, interceptors: [] },
  { name: "over gRPC, through interceptors", isLocal: false, interceptors: [plain] },
] as const;

type Way = (typeof ways)[number];

async function connect(
  t: TestContext,
  implementation: Implementation,
  interceptors: readonly Interceptor[],
  isLocal = true,
): Promise<{ client: ScriptClient; logged: unknown[][] }> {
  const logged: unknown[][] = [];
  const ignore = () => {};
  const { server, baseUrl } = await createTestServer({
    t,
    services: [defineService(ScriptService, implementation)],
    interceptors,
    logger: {
      debug: ignore,
      info: ignore,
      warn: ignore,
      error: (...entry) => void logged.push(entry),
    },
  });
  const client = isLocal
    ? server.localClient(ScriptService)
    : createClient(ScriptService, createTransport("gRPC h2", baseUrl));
  return { client, logged };
}

function everyWay(name: string, check: (t: TestContext, way: Way) => Promise<void>): void {
  for (const way of ways) test(`${name} ${way.name}`, (t) => check(t, way));
}

async function* texts(...list: string[]) {
  for (const text of list) yield { content: { text } };
}

describe("what a handler may give", () => {
  everyWay("a message, what makes one, and a promise of either", async (t, way) => {
    const shapes: Array<NonNullable<Implementation["look"]>> = [
      () => ({ content: { text: "given" } }),
      async () => ({ content: { text: "given" } }),
      () => create(LookResponseSchema, { content: { text: "given" } }),
      async () => create(LookResponseSchema, { content: { text: "given" } }),
    ];
    const nothing = [() => undefined, async () => undefined, () => ({})];
    for (const look of nothing as Array<() => object>) {
      const { client } = await connect(t, { look }, way.interceptors, way.isLocal);
      assert.equal((await client.look({})).content, undefined);
    }
    for (const look of shapes) {
      const { client } = await connect(t, { look }, way.interceptors, way.isLocal);
      const answer = await client.look({});
      assert.ok(isMessage(answer, LookResponseSchema));
      assert.equal(answer.content?.text, "given");
    }
    for (const upload of [
      async () => ({ content: { text: "given" } }),
      () => ({ content: { text: "given" } }),
    ] as Array<NonNullable<Implementation["upload"]>>) {
      const { client } = await connect(t, { upload }, way.interceptors, way.isLocal);
      assert.deepEqual(await callKind(client, "client streaming"), answer("given"));
    }
  });

  everyWay("streams of messages and of what makes them", async (t, way) => {
    const { client } = await connect(
      t,
      {
        download: () => texts("one", "two"),
        async *talk(requests) {
          for await (const { content } of requests) yield { content };
        },
      },
      way.interceptors,
      way.isLocal,
    );
    assert.deepEqual(await callKind(client, "server streaming"), answer("one", "two"));
    assert.deepEqual(await callKind(client, "bidi streaming"), answer("one", "two"));
  });

  everyWay(
    "no stream where one is due is an internal error, which the log explains",
    async (t, way) => {
      for (const output of [undefined, null, {}, [], "text", { [Symbol.asyncIterator]: 1 }]) {
        const give = () => output as never;
        const { client, logged } = await connect(
          t,
          { download: give, talk: give },
          way.interceptors,
          way.isLocal,
        );
        for (const kind of ["server streaming", "bidi streaming"] as const) {
          const { texts, error } = await callKind(client, kind);
          assert.deepEqual([texts, error?.message], [[], "[internal] internal error"]);
        }
        assert.deepEqual(
          logged.map(([fields]) => (fields as { err: Error }).err.message),
          ["Download", "Talk"].map(
            (name) =>
              `/connectum.script.v1.ScriptService/${name} must return an AsyncIterable of response messages`,
          ),
        );
      }
    },
  );

  everyWay(
    "what is thrown, at once or later, ends the call; the log has what it hides",
    async (t, way) => {
      const names = { unary: "Look", "server streaming": "Download" } as Record<Kind, string>;
      names["client streaming"] = "Upload";
      names["bidi streaming"] = "Talk";
      for (const isLate of [false, true]) {
        const thrown = { current: undefined as unknown };
        const fail = () => {
          if (isLate) return Promise.reject(thrown.current);
          throw thrown.current;
        };
        const stream = async function* () {
          yield* [];
          throw thrown.current;
        };
        const { client, logged } = await connect(
          t,
          {
            look: fail,
            upload: fail,
            download: isLate ? stream : (fail as never),
            talk: isLate ? stream : (fail as never),
          },
          way.interceptors,
          way.isLocal,
        );
        for (const kind of kinds) {
          logged.length = 0;
          thrown.current = new ConnectError("over quota", Code.ResourceExhausted);
          assert.equal(
            (await callKind(client, kind)).error?.message,
            "[resource_exhausted] over quota",
          );
          assert.deepEqual(logged, []);
          const err = new Error("no row");
          thrown.current = err;
          assert.equal((await callKind(client, kind)).error?.message, "[internal] internal error");
          const method = `connectum.script.v1.ScriptService/${names[kind]}`;
          assert.deepEqual(logged, [
            [
              { err, method, protocol: "grpc" },
              "call failed with an error that is no ConnectError",
            ],
          ]);
        }
      }
    },
  );

  function answer(...texts: string[]): Answer {
    return { texts, error: undefined };
  }
});

describe("what interceptors see", () => {
  const implementation: Implementation = {
    look: ({ content }) => ({ content }),
    download: ({ content }) => texts(content?.text ?? "", "more"),
    async upload(requests) {
      let text = "";
      for await (const { content } of requests) text += content?.text;
      return { content: { text } };
    },
    async *talk(requests) {
      for await (const { content } of requests) yield { content };
    },
  };

  test("requests and responses of the call's method, stream or not", async (t) => {
    const seen: unknown[] = [];
    const watch: Interceptor = (next) => async (request: AnyRequest) => {
      const { stream, service, method, requestMethod, message } = request;
      const response: AnyResponse = await next(request);
      seen.push([stream, service, method, requestMethod, Symbol.asyncIterator in message]);
      const { header, trailer } = response;
      assert.ok(header instanceof Headers && trailer instanceof Headers);
      const { message: output } = response;
      seen.push([
        response.stream,
        response.service,
        response.method,
        requestMethod,
        Symbol.asyncIterator in output,
      ]);
      return response;
    };
    const { client } = await connect(t, implementation, [watch]);
    const { look, download, upload, talk } = ScriptService.method;
    for (const [kind, method] of [
      ["unary", look],
      ["server streaming", download],
      ["client streaming", upload],
      ["bidi streaming", talk],
    ] as const) {
      await callKind(client, kind);
      const isStream = kind !== "unary";
      const one = [isStream, ScriptService, method, "POST", isStream];
      assert.deepEqual(seen, [one, one], kind);
      seen.length = 0;
    }
  });

  test("what they put into the request and the response counts", async (t) => {
    const rename: Interceptor = (next) => async (request) => {
      assert.ok(!request.stream);
      const message = create(LookRequestSchema, { content: { text: "renamed" } });
      const response = await next({ ...request, message } as UnaryRequest);
      response.header.set("x-head", "h");
      response.trailer.set("x-tail", "t");
      return response;
    };
    const { client } = await connect(t, implementation, [rename]);
    const seen: Array<string | null> = [];
    const { content } = await client.look(
      { content: { text: "as sent" } },
      {
        onHeader: (headers) => seen.push(headers.get("x-head")),
        onTrailer: (headers) => seen.push(headers.get("x-tail")),
      },
    );
    assert.equal(content?.text, "renamed");
    assert.deepEqual(seen, ["h", "t"]);
  });

  test("a handler whose interceptor threw is not called, and headers of the handler come back", async (t) => {
    const order: string[] = [];
    const named =
      (name: string): Interceptor =>
      (next) =>
      async (request) => {
        order.push(`${name} in`);
        const response = await next(request);
        order.push(`${name} out ${response.header.get("x-by")}`);
        return response;
      };
    const { client } = await connect(
      t,
      {
        look(_, { responseHeader }) {
          order.push("handler");
          responseHeader.set("x-by", "handler");
          return {};
        },
      },
      [named("outer"), named("inner")],
    );
    await client.look({});
    assert.deepEqual(order, [
      "outer in",
      "inner in",
      "handler",
      "inner out handler",
      "outer out handler",
    ]);
  });

  test("an interceptor that follows calls, and has nothing to follow, changes nothing", async (t) => {
    let seen = 0;
    const count: Interceptor = (next) => (request) => {
      seen++;
      return next(request);
    };
    const off = createOtelInterceptor({ traces: false, metrics: false });
    const collector = new InMemorySpanCollector();
    const { tracerProvider } = collector;
    const on = createOtelInterceptor({ tracerProvider, metrics: false });
    for (const interceptors of [[off], [off, count], [count, off], [off, on, count]]) {
      for (const isLocal of [true, false]) {
        const { client } = await connect(t, implementation, interceptors, isLocal);
        for (const kind of kinds) assert.equal((await callKind(client, kind)).error, undefined);
        assert.equal(seen, interceptors.includes(count) ? kinds.length : 0);
        seen = 0;
        const names = (await collector.flush()).map(({ name }) => name.split("/")[1]);
        const traced = ["Download", "Look", "Talk", "Upload"];
        assert.deepEqual(names.sort(), interceptors.includes(on) ? traced : []);
      }
    }
  });

  test("a request that one of them has made anew reaches the handler all the same", async (t) => {
    const anew: Interceptor = (next) => (request) => next(madeAnew(request));
    for (const isLocal of [true, false]) {
      const { client } = await connect(t, implementation, [anew], isLocal);
      assert.equal((await client.look({ content: { text: "a" } })).content?.text, "a");
      assert.deepEqual((await callKind(client, "server streaming")).texts, ["", "more"]);
      assert.deepEqual((await callKind(client, "client streaming")).texts, ["onetwo"]);
      assert.deepEqual((await callKind(client, "bidi streaming")).texts, ["one", "two"]);
    }
  });

  test("a handler of a server stream gets the one message, not a stream of it", async (t) => {
    for (const interceptors of [[], [plain]]) {
      const { client } = await connect(t, implementation, interceptors);
      const received: string[] = [];
      for await (const { content } of client.download({ content: { text: "asked" } })) {
        received.push(content?.text ?? "");
      }
      assert.deepEqual(received, ["asked", "more"]);
    }
  });
});

/** A request of the same properties that core cannot tell where it comes from. */
function madeAnew({
  stream,
  service,
  method,
  requestMethod,
  url,
  signal,
  header,
  contextValues,
  message,
}: AnyRequest): AnyRequest {
  const copy = { stream, service, method, requestMethod, url, signal, header, contextValues };
  return { ...copy, message } as AnyRequest;
}

describe("a gate", () => {
  for (const isLocal of [true, false]) {
    const door = isLocal ? "in process" : "over gRPC";

    test(`${door} knows the call; those outside hear of a refusal, of a call without a body`, async (t) => {
      const contexts: Array<GateContext & { readonly peerInValues: unknown }> = [];
      const outside: unknown[] = [];
      const watch: Interceptor = (next) => async (request: AnyRequest) => {
        const messages: unknown[] = [];
        if (request.stream) for await (const message of request.message) messages.push(message);
        else messages.push(request.message);
        const { method, header, contextValues } = request;
        outside.push([
          request.stream,
          method.name,
          header.get("x-tenant"),
          contextValues.get(peerKey).address,
          messages,
        ]);
        return next(request);
      };
      const refusal = new ConnectError("who are you?", Code.Unauthenticated);
      const refusing = extendInterceptor(plain, {
        gate(context) {
          contexts.push({ ...context, peerInValues: context.contextValues.get(peerKey) });
          throw refusal;
        },
      });
      const { client, logged } = await connect(t, {}, [watch, refusing], isLocal);
      for (const kind of kinds) {
        const { error } = await callKind(client, kind, { headers: { "x-tenant": "acme" } });
        assert.equal(error?.message, "[unauthenticated] who are you?");
        const [context] = contexts.splice(0);
        assert.equal(context?.header.get("x-tenant"), "acme");
        assert.equal(context.peerInValues, context.peer);
        const isStream = kind !== "unary";
        const { name } = context.method;
        const { address } = context.peer;
        assert.equal(address, isLocal ? "in-process" : "127.0.0.1");
        const body = isStream ? [] : [create(LookRequestSchema)];
        assert.deepEqual(outside.splice(0), [[isStream, name, "acme", address, body]]);
      }
      assert.deepEqual(logged, []);
    });

    test(`${door} may be answered for by who is outside`, async (t) => {
      const refusing = extendInterceptor(plain, {
        gate: () => Promise.reject(new ConnectError("no", Code.PermissionDenied)),
      });
      const response = create(LookResponseSchema, { content: { text: "instead" } });
      const rescue: Interceptor = (next) => (request) =>
        next(request).catch(() => ({
          stream: false,
          service: request.service,
          method: request.method as never,
          header: new Headers(),
          trailer: new Headers(),
          message: response,
        }));
      const { client } = await connect(t, {}, [rescue, refusing], isLocal);
      assert.deepEqual(await callKind(client, "unary"), { texts: ["instead"], error: undefined });
    });

    test(`${door} refuses also a request that an interceptor outside has made anew`, async (t) => {
      const refusing = extendInterceptor(plain, {
        gate() {
          throw new Error("rules are broken");
        },
      });
      const anew: Interceptor = (next) => (request) => next(madeAnew(request));
      const { client } = await connect(t, {}, [anew, refusing], isLocal);
      for (const kind of kinds) {
        const { error } = await callKind(client, kind);
        assert.equal(error?.message, "[permission_denied] call refused");
      }
    });
  }
});
