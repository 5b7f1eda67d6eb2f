import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient, type Interceptor } from "@connectrpc/connect";
import {
  createLocalTransport,
  createServer,
  defineService,
  extendInterceptor,
  peerKey,
  transportKey,
} from "connectum/core";
import {
  GreeterService,
  SayHelloRequestSchema,
  SayHelloResponseSchema,
} from "../../examples/greeter/gen/greeter/v1/greeter_pb.js";
import { greeter } from "../../examples/greeter/service.ts";
import { withResolvers } from "../support/with-resolvers.ts";

const services = [defineService(GreeterService, greeter)];

async function collect(messages: AsyncIterable<{ greeting: string }>): Promise<string[]> {
  const greetings: string[] = [];
  for await (const { greeting } of messages) greetings.push(greeting);
  return greetings;
}

describe("the local transport", () => {
  test("calls all kinds without start(), and address stays null", async () => {
    const server = createServer({ services });
    const client = server.localClient(GreeterService);
    assert.equal((await client.sayHello({ name: "Ada" })).greeting, "Hello, Ada!");
    assert.equal((await collect(client.sayHelloInLanguages({ name: "Ada" }))).length, 4);
    async function* names() {
      yield { name: "Grace" };
      yield { name: "Edsger" };
    }
    assert.deepEqual(await collect(client.converse(names())), ["Hello, Grace!", "Hello, Edsger!"]);
    assert.equal(server.address, null);
    assert.equal(server.state, "created");
  });

  test("the first call waits until every interceptor is attached, and fails if one cannot be", async () => {
    const attached: string[] = [];
    let seen = "";
    const plain: Interceptor = (next) => next;
    const slow = extendInterceptor(plain, {
      async attach() {
        await new Promise((resolve) => setImmediate(resolve));
        attached.push("slow");
      },
    });
    const last = extendInterceptor(plain, {
      attach: () => void attached.push("last"),
      gate() {
        seen = attached.join();
      },
    });
    const call = (interceptors: Interceptor[]) =>
      createClient(
        GreeterService,
        createLocalTransport(createServer({ services, interceptors })),
      ).sayHello({ name: "Ada" });
    await call([slow, last]);
    assert.equal(seen, "slow,last");
    const broken = extendInterceptor(plain, {
      attach() {
        throw new ConnectError("rules contradict each other", Code.Internal);
      },
    });
    await assert.rejects(call([broken]), { rawMessage: "rules contradict each other" });
  });

  test("passes messages by reference", async () => {
    const request = create(SayHelloRequestSchema, { name: "Ada" });
    const response = create(SayHelloResponseSchema, { greeting: "same" });
    let received: unknown;
    const server = createServer({
      services: [
        defineService(GreeterService, {
          sayHello(message) {
            received = message;
            return response;
          },
        }),
      ],
    });
    const answer = await server.localClient(GreeterService).sayHello(request);
    assert.equal(received, request);
    assert.equal(answer, response);
  });

  test("copies headers both ways", async () => {
    const sent = new Headers({ "x-request": "1" });
    let kept: Headers | undefined;
    const server = createServer({
      services: [
        defineService(GreeterService, {
          sayHello(_, context) {
            assert.equal(context.requestHeader.get("X-Request"), "1");
            context.requestHeader.set("x-request", "changed by the server");
            context.responseHeader.set("x-response", "2");
            context.responseTrailer.set("x-trailer", "3");
            kept = context.responseHeader;
            return {};
          },
        }),
      ],
    });
    let header: Headers | undefined;
    let trailer: Headers | undefined;
    await server.localClient(GreeterService).sayHello(
      {},
      {
        headers: sent,
        onHeader: (value) => {
          header = value;
        },
        onTrailer: (value) => {
          trailer = value;
        },
      },
    );
    assert.equal(sent.get("x-request"), "1");
    kept?.set("x-response", "changed later");
    assert.equal(header?.get("x-response"), "2");
    assert.equal(trailer?.get("x-trailer"), "3");
  });

  test("goes through the server's interceptors, which see a gRPC-like call marked in-process", async () => {
    const seen: unknown[] = [];
    const interceptor: Interceptor = (next) => (request) => {
      seen.push(request.url, request.requestMethod, request.contextValues.get(transportKey));
      seen.push(request.contextValues.get(peerKey).address, request.stream);
      return next(request);
    };
    const server = createServer({ services, interceptors: [interceptor] });
    await server.localClient(GreeterService).sayHello({ name: "Ada" });
    assert.deepEqual(seen, [
      "https://in-process/greeter.v1.GreeterService/SayHello",
      "POST",
      "in-process",
      "in-process",
      false,
    ]);
  });

  test("client interceptors of createLocalTransport wrap the call", async () => {
    const server = createServer({
      services: [
        defineService(GreeterService, {
          sayHello: (_, context) => ({ greeting: context.requestHeader.get("x-added") ?? "" }),
        }),
      ],
    });
    const transport = createLocalTransport(server, {
      interceptors: [
        (next) => (request) => {
          request.header.set("x-added", "by the client");
          return next(request);
        },
      ],
    });
    const { greeting } = await createClient(GreeterService, transport).sayHello({});
    assert.equal(greeting, "by the client");
  });

  test("an error keeps code, message, metadata and details, and is not the handler's object", async () => {
    const thrown = new ConnectError("nobody", Code.NotFound, { "x-meta": "1" }, [
      { desc: SayHelloRequestSchema, value: { name: "detail" } },
    ]);
    const server = createServer({
      services: [
        defineService(GreeterService, {
          sayHello() {
            throw thrown;
          },
        }),
      ],
    });
    await assert.rejects(server.localClient(GreeterService).sayHello({}), (error: ConnectError) => {
      assert.notEqual(error, thrown);
      assert.equal(error.code, Code.NotFound);
      assert.equal(error.rawMessage, "nobody");
      assert.equal(error.metadata.get("x-meta"), "1");
      assert.equal(error.findDetails(SayHelloRequestSchema)[0]?.name, "detail");
      return true;
    });
  });

  test("anything else thrown is internal, without a word of it", async () => {
    const server = createServer({
      services: [
        defineService(GreeterService, {
          async *sayHelloInLanguages() {
            yield { greeting: "one" };
            throw new Error("postgres://user:secret@db");
          },
        }),
      ],
    });
    const stream = server.localClient(GreeterService).sayHelloInLanguages({});
    await assert.rejects(collect(stream), (error: ConnectError) => {
      assert.equal(error.code, Code.Internal);
      assert.equal(error.rawMessage, "internal error");
      assert.equal(error.cause, undefined);
      return true;
    });
  });

  test("a deadline ends the call for both sides", async () => {
    let reason: ConnectError | undefined;
    const server = createServer({
      services: [
        defineService(GreeterService, {
          sayHello: (_, context) =>
            new Promise((_resolve, reject) => {
              const left = context.timeoutMs() ?? 0;
              assert.ok(left > 0 && left <= 100, String(left));
              context.signal.addEventListener("abort", () => {
                reason = context.signal.reason;
                reject(reason);
              });
            }),
        }),
      ],
    });
    const answer = server.localClient(GreeterService).sayHello({}, { timeoutMs: 100 });
    await assert.rejects(answer, { code: Code.DeadlineExceeded });
    assert.equal(reason?.code, Code.DeadlineExceeded);
  });

  test("a caller that aborts is answered at once and ends the handler's generator", async () => {
    const controller = new AbortController();
    const ended = withResolvers<string>();
    const server = createServer({
      services: [
        defineService(GreeterService, {
          async *sayHelloInLanguages(_, context) {
            try {
              for (;;) yield { greeting: "again" };
            } finally {
              ended.resolve(context.signal.reason?.rawMessage);
            }
          },
        }),
      ],
    });
    const stream = server
      .localClient(GreeterService)
      .sayHelloInLanguages({}, { signal: controller.signal });
    await assert.rejects(
      (async () => {
        for await (const _ of stream) controller.abort();
      })(),
      { code: Code.Canceled },
    );
    assert.equal(await ended.promise, "the client left");
  });

  test("a reader that stops reading stops the generator one message ahead", async () => {
    let produced = 0;
    const server = createServer({
      services: [
        defineService(GreeterService, {
          async *sayHelloInLanguages() {
            for (;;) {
              produced++;
              yield { greeting: "more" };
            }
          },
        }),
      ],
    });
    const iterator = server
      .localClient(GreeterService)
      .sayHelloInLanguages({})
      [Symbol.asyncIterator]();
    await iterator.next();
    await iterator.next();
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(produced, 3);
  });

  test("a gate refuses before the handler runs", async () => {
    let calls = 0;
    const gated = extendInterceptor((next) => next, {
      gate() {
        throw new ConnectError("no", Code.Unauthenticated);
      },
    });
    const server = createServer({
      services: [
        defineService(GreeterService, {
          sayHello() {
            calls++;
            return {};
          },
        }),
      ],
      interceptors: [gated],
    });
    const client = server.localClient(GreeterService);
    await assert.rejects(client.sayHello({}), { code: Code.Unauthenticated });
    await assert.rejects(collect(client.sayHelloInLanguages({})), { code: Code.Unauthenticated });
    assert.equal(calls, 0);
  });

  test("a drain waits for local calls, and after stop() they fail unavailable", async () => {
    const entered = withResolvers<void>();
    const release = withResolvers<void>();
    const server = createServer({
      services: [
        defineService(GreeterService, {
          async sayHello() {
            entered.resolve();
            await release.promise;
            return { greeting: "late" };
          },
        }),
      ],
      port: 0,
      host: "127.0.0.1",
    });
    await server.start();
    const client = server.localClient(GreeterService);
    const answer = client.sayHello({});
    await entered.promise;
    let isStopped = false;
    const stopped = server.stop().then(() => {
      isStopped = true;
    });
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(isStopped, false);
    release.resolve();
    assert.equal((await answer).greeting, "late");
    await stopped;
    await assert.rejects(client.sayHello({}), { code: Code.Unavailable });
  });

  test("a service that is not mounted answers unimplemented, naming it", async () => {
    const client = createServer({ services: [] }).localClient(GreeterService);
    await assert.rejects(client.sayHello({}), {
      code: Code.Unimplemented,
      message: /greeter\.v1\.GreeterService\/SayHello is not mounted/,
    });
  });

  test("something that is no server is refused", () => {
    assert.throws(() => createLocalTransport({}), { code: "INVALID_OPTION" });
  });
});
