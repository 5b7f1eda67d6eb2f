import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import {
  Code,
  ConnectError,
  createClient,
  createContextValues,
  type Interceptor,
} from "@connectrpc/connect";
import {
  createLocalTransport,
  createServer,
  defineService,
  extendInterceptor,
  peerKey,
  type Server,
  transportKey,
} from "connectum/core";
import { createTestServer } from "connectum/testing";
import {
  ContentSchema,
  DownloadResponseSchema,
  OnceRequestSchema,
  OnceResponseSchema,
  ScriptService,
  UploadRequestSchema,
} from "../../gen/connectum/script/v1/script_pb.js";
import { createTransport, grid } from "../../support/transports.ts";

/** Both ways to a local service; the second goes through outgoing interceptors. */
const ways: Record<string, (server: Server) => ReturnType<typeof clientOf>> = {
  "server.localClient()": (server) => clientOf(server),
  "server.client()": (server) => server.client(ScriptService),
};

function clientOf(server: Server) {
  return server.localClient(ScriptService);
}

const outgoing: Interceptor = (next) => (request) => next(request);

for (const [way, open] of Object.entries(ways)) {
  describe(`messages and headers by ${way}`, () => {
    test("the very objects reach the handler and come back, in unary calls and in streams", async () => {
      const request = create(OnceRequestSchema, { content: { text: "shared" } });
      const response = create(OnceResponseSchema);
      const item = create(UploadRequestSchema);
      const part = create(DownloadResponseSchema);
      const received: unknown[] = [];
      const server = createServer({
        services: [
          defineService(ScriptService, {
            once(message) {
              received.push(message, message.content);
              return response;
            },
            async upload(messages) {
              for await (const message of messages) received.push(message);
              return {};
            },
            async *download() {
              yield part;
            },
          }),
        ],
        interceptors: [(next) => (call) => next(call)],
        outgoingInterceptors: [outgoing],
      });
      const client = open(server);
      assert.equal(await client.once(request), response);
      async function* items() {
        yield item;
      }
      await client.upload(items());
      for await (const message of client.download({})) assert.equal(message, part);
      assert.equal(received[0], request);
      assert.equal(received[1], request.content);
      assert.equal(received[2], item);
    });

    test("an init object becomes a message whose parts are the caller's own", async () => {
      const content = create(ContentSchema, { text: "shared" });
      let received: unknown;
      const server = createServer({
        services: [
          defineService(ScriptService, {
            once(message) {
              received = message.content;
              return { content: message.content };
            },
          }),
        ],
        outgoingInterceptors: [outgoing],
      });
      const answer = await open(server).once({ content });
      assert.equal(received, content);
      assert.equal(answer.content, content);
    });

    test("what one side does to its headers the other never sees", async () => {
      let kept: Headers[] = [];
      const server = createServer({
        services: [
          defineService(ScriptService, {
            once(_, { requestHeader, responseHeader, responseTrailer }) {
              requestHeader.set("x-sent", "by the handler");
              responseHeader.set("x-header", "1");
              responseTrailer.set("x-trailer", "2");
              kept = [requestHeader, responseHeader, responseTrailer];
              return {};
            },
          }),
        ],
        interceptors: [
          (next) => (request) => {
            request.header.set("x-sent", "by an interceptor");
            return next(request);
          },
        ],
        outgoingInterceptors: [outgoing],
      });
      const headers = new Headers({ "x-sent": "1" });
      const got: Headers[] = [];
      const onHeader = (header: Headers) => void got.push(header);
      await open(server).once({}, { headers, onHeader, onTrailer: onHeader });
      assert.equal(headers.get("x-sent"), "1");
      const [request, header, trailer] = kept;
      header?.set("x-header", "late");
      trailer?.set("x-trailer", "late");
      got[0]?.set("x-mine", "1");
      headers.set("x-sent", "late");
      assert.equal(got[0]?.get("x-header"), "1");
      assert.equal(got[1]?.get("x-trailer"), "2");
      assert.equal(header?.get("x-mine"), null);
      assert.equal(request?.get("x-sent"), "by the handler");
    });
  });
}

describe("nothing gets around the server's interceptors", () => {
  /** Refuses everyone; a call that reaches its handler has got around it. */
  function guarded() {
    let handled = 0;
    const refuse = () => {
      throw new ConnectError("no", Code.PermissionDenied);
    };
    const server = createServer({
      services: [
        defineService(ScriptService, {
          once() {
            handled++;
            return {};
          },
          async *download() {
            handled++;
            yield {};
          },
        }),
      ],
      interceptors: [extendInterceptor(() => refuse, { gate: refuse })],
    });
    return { server, handled: () => handled };
  }

  test("no property of a server holds a door without them", async () => {
    const { server, handled } = guarded();
    const method = ScriptService.method.once;
    for (const key of allKeys(server)) {
      const value = Reflect.get(server, key) as { unary?: unknown } | null;
      if (typeof value?.unary !== "function") continue;
      const unary = value.unary.bind(value) as (...args: unknown[]) => Promise<unknown>;
      await assert.rejects(unary(method, undefined, undefined, undefined, {}, undefined), {
        code: Code.PermissionDenied,
      });
    }
    assert.equal(handled(), 0);
  });

  test("clearing the interceptors a server shows changes nothing", async () => {
    const { server, handled } = guarded();
    (server.interceptors as Interceptor[]).length = 0;
    (server.routes as unknown[]).length = 0;
    await assert.rejects(server.localClient(ScriptService).once({}), {
      code: Code.PermissionDenied,
    });
    assert.equal(handled(), 0);
  });

  test("a caller's interceptor that answers, copies or replaces the request gets no further", async () => {
    const { server, handled } = guarded();
    const tricks: Interceptor[] = [
      (next) => (request) => next({ ...request }),
      (next) => (request) => next(Object.assign(Object.create(request), request)),
      (next) => (request) =>
        next({
          ...request,
          service: {} as never,
          url: "https://elsewhere/",
          header: new Headers(),
        }),
    ];
    for (const trick of tricks) {
      const transport = createLocalTransport(server, { interceptors: [trick] });
      const client = createClient(ScriptService, transport);
      await assert.rejects(client.once({}), { code: Code.PermissionDenied });
      await assert.rejects(client.download({})[Symbol.asyncIterator]().next(), {
        code: Code.PermissionDenied,
      });
    }
    assert.equal(handled(), 0);
  });

  test("a descriptor made to look like another method's leads to no handler unguarded", async () => {
    const { server, handled } = guarded();
    const transport = createLocalTransport(server);
    const { once, download } = ScriptService.method;
    const forged = { ...once, options: {}, idempotency: 1, interceptors: [] };
    await assert.rejects(transport.unary(forged as never, undefined, undefined, undefined, {}), {
      code: Code.PermissionDenied,
    });
    // A stream called as if it were unary, and the other way round.
    await assert.rejects(transport.unary(download as never, undefined, undefined, undefined, {}));
    async function* one() {
      yield {};
    }
    await assert.rejects(
      transport.stream(once as never, undefined, undefined, undefined, one() as never),
    );
    assert.equal(handled(), 0);
  });

  for (const way of [...grid, "in process"] as const) {
    test(`the transport and peer of a call cannot be forged, ${way}`, async (t) => {
      const seen: unknown[] = [];
      const { server, baseUrl } = await createTestServer({
        t,
        services: [
          defineService(ScriptService, {
            once(_, { values }) {
              seen.push(values.get(transportKey), values.get(peerKey).address);
              return {};
            },
          }),
        ],
      });
      const isLocal = way === "in process";
      const transport = isLocal ? createLocalTransport(server) : createTransport(way, baseUrl);
      const lie = isLocal ? "http" : "in-process";
      await createClient(ScriptService, transport).once(
        {},
        {
          headers: {
            "connectum-transport": lie,
            "x-connectum-transport": lie,
            "x-in-process": "1",
            "x-forwarded-for": "10.0.0.1",
            forwarded: "for=10.0.0.1",
          },
          contextValues: createContextValues()
            .set(transportKey, lie)
            .set(peerKey, { address: "10.0.0.1" }),
        },
      );
      assert.deepEqual(seen, isLocal ? ["in-process", "in-process"] : ["http", "127.0.0.1"]);
    });
  }

  test("context values of the caller do not reach the handler", async () => {
    let address = "";
    const server = createServer({
      services: [
        defineService(ScriptService, {
          once(_, { values }) {
            ({ address } = values.get(peerKey));
            return {};
          },
        }),
      ],
      outgoingInterceptors: [
        (next) => (request) => {
          request.contextValues.set(peerKey, { address: "10.0.0.1" });
          request.contextValues.set(transportKey, "http");
          return next(request);
        },
      ],
    });
    await server.client(ScriptService).once({});
    assert.equal(address, "in-process");
  });
});

/** Own and inherited keys, names and symbols, private ones excepted: those are out of reach anyway. */
function allKeys(object: object): Set<string | symbol> {
  const keys = new Set<string | symbol>();
  for (let level: object | null = object; level; level = Reflect.getPrototypeOf(level)) {
    for (const key of Reflect.ownKeys(level)) keys.add(key);
  }
  return keys;
}
