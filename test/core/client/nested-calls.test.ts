import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import {
  Code,
  ConnectError,
  createClient,
  type HandlerContext,
  type ServiceImpl,
} from "@connectrpc/connect";
import {
  callOptions,
  createServer,
  defineService,
  dnsResolver,
  type OutgoingCallOptions,
} from "connectum/core";
import { createTestServer } from "connectum/testing";
import { GreeterService } from "../../../examples/greeter/gen/greeter/v1/greeter_pb.js";
import { DetailSchema, ScriptService } from "../../gen/connectum/script/v1/script_pb.js";
import { createTransport, grid } from "../../support/transports.ts";
import { withResolvers } from "../../support/with-resolvers.ts";

type Inner = Partial<ServiceImpl<typeof ScriptService>>;

/** No waiting for idle HTTP/1.1 sockets. */
const shutdown = { timeout: 100 };

function soldOut(): ConnectError {
  return new ConnectError("sold out", Code.ResourceExhausted, { "x-why": "stock" }, [
    { desc: DetailSchema, value: { text: "sku-7" } },
  ]);
}

const places = ["in process", "remote"] as const;

/** The greeter answers with what its own call of the script service came to. */
async function startNested(
  t: TestContext,
  place: (typeof places)[number],
  inner: Inner,
  options: OutgoingCallOptions = {},
) {
  const script = defineService(ScriptService, inner);
  const elsewhere =
    place === "remote" ? await createTestServer({ t, services: [script], shutdown }) : undefined;
  const greeter = defineService(GreeterService, {
    async sayHello({ name }, context) {
      if (name === "throws itself") throw soldOut();
      const client = server.client(ScriptService);
      const { content } = await client.once({}, callOptions(context, options));
      return { greeting: content?.text };
    },
  });
  const { server, baseUrl } = await createTestServer({
    t,
    shutdown,
    services: elsewhere ? [greeter] : [greeter, script],
    remoteResolver: elsewhere && dnsResolver({ template: elsewhere.baseUrl }),
  });
  return { server, baseUrl };
}

for (const place of places) {
  describe(`a call inside a call, ${place}`, () => {
    const timeLeft: Inner = {
      once: (_, context) => ({ content: { text: String(context.timeoutMs()) } }),
    };

    test("has what is left of the inbound deadline", async (t) => {
      const { baseUrl } = await startNested(t, place, timeLeft);
      const client = createClient(GreeterService, createTransport("gRPC h2", baseUrl));
      const { greeting } = await client.sayHello({}, { timeoutMs: 500 });
      assert.ok(Number(greeting) > 0 && Number(greeting) <= 500, greeting);
    });

    test("has a shorter limit of its own, but never a longer one", async (t) => {
      const short = await startNested(t, place, timeLeft, { timeoutMs: 300 });
      const transport = createTransport("Connect h1", short.baseUrl);
      const { greeting } = await createClient(GreeterService, transport).sayHello({});
      assert.ok(Number(greeting) > 0 && Number(greeting) <= 300, greeting);

      const long = await startNested(t, place, timeLeft, { timeoutMs: 60_000 });
      const client = long.server.localClient(GreeterService);
      const answer = await client.sayHello({}, { timeoutMs: 500 });
      assert.ok(Number(answer.greeting) <= 500, answer.greeting);
    });

    test("has no deadline where neither has one", async (t) => {
      const { server } = await startNested(t, place, timeLeft);
      const { greeting } = await server.localClient(GreeterService).sayHello({});
      assert.equal(greeting, "undefined");
    });

    test("is over when the inbound deadline passes", async (t) => {
      const aborted = withResolvers<ConnectError>();
      const { baseUrl } = await startNested(t, place, {
        once: (_, { signal }) =>
          new Promise((_resolve, reject) => {
            signal.addEventListener("abort", () => {
              aborted.resolve(signal.reason);
              reject(signal.reason);
            });
          }),
      });
      const client = createClient(GreeterService, createTransport("gRPC h2", baseUrl));
      await assert.rejects(client.sayHello({}, { timeoutMs: 500 }), {
        code: Code.DeadlineExceeded,
      });
      const { code } = await aborted.promise;
      assert.ok(code === Code.DeadlineExceeded || code === Code.Canceled, Code[code]);
    });

    test("is cancelled when the inbound call is", async (t) => {
      const entered = withResolvers();
      const aborted = withResolvers<ConnectError>();
      const { baseUrl } = await startNested(t, place, {
        once(_, { signal }) {
          entered.resolve();
          return new Promise((_resolve, reject) => {
            signal.addEventListener("abort", () => {
              aborted.resolve(signal.reason);
              reject(signal.reason);
            });
          });
        },
      });
      const controller = new AbortController();
      const client = createClient(GreeterService, createTransport("gRPC h2", baseUrl));
      const answer = client.sayHello({}, { signal: controller.signal });
      await entered.promise;
      controller.abort();
      await assert.rejects(answer, { code: Code.Canceled });
      assert.equal((await aborted.promise).code, Code.Canceled);
    });

    test("gets the inbound headers that are named, and no others", async (t) => {
      const allowed = ["X-Tenant", "x-data-bin", "x-absent"];
      const { baseUrl } = await startNested(
        t,
        place,
        {
          once(_, { requestHeader }) {
            const sent = [...requestHeader].filter(
              ([name]) => name.startsWith("x-") || name === "authorization",
            );
            return { content: { text: JSON.stringify(sent) } };
          },
        },
        { headers: allowed },
      );
      const client = createClient(GreeterService, createTransport("Connect h1", baseUrl));
      const headers = { "x-tenant": "shop", "x-data-bin": "AAEC", authorization: "Bearer secret" };
      const { greeting } = await client.sayHello({}, { headers });
      assert.deepEqual(JSON.parse(greeting), [
        ["x-data-bin", "AAEC"],
        ["x-tenant", "shop"],
      ]);
    });

    for (const outer of grid) {
      test(`its error, rethrown, keeps all but protocol headers over ${outer}`, async (t) => {
        const { baseUrl } = await startNested(t, place, {
          once(_, { responseHeader }) {
            responseHeader.set("x-header", "1");
            throw soldOut();
          },
        });
        const client = createClient(GreeterService, createTransport(outer, baseUrl));
        const errorOf = (name: string) =>
          client.sayHello({ name }).then(
            () => assert.fail("the call must fail"),
            (error: ConnectError) => error,
          );
        const error = await errorOf("passes on");
        assert.equal(error.code, Code.ResourceExhausted);
        assert.equal(error.rawMessage, "sold out");
        assert.equal(error.findDetails(DetailSchema)[0]?.text, "sku-7");
        assert.equal(error.metadata.get("x-why"), "stock");
        assert.equal(error.metadata.get("x-header"), "1");
        // Nothing of what the inner call's protocol added: the rest is as if there were no inner call.
        const own = await errorOf("throws itself");
        error.metadata.delete("x-header");
        assert.deepEqual(names(error.metadata), names(own.metadata));
        for (const name of ["content-type", "grpc-status"]) {
          assert.equal(error.metadata.get(name), own.metadata.get(name));
        }
      });
    }

    test("its plain error stays internal, and its text stays inside", async (t) => {
      const { server } = await startNested(t, place, {
        once() {
          throw new Error("postgres://user:secret@db");
        },
      });
      await assert.rejects(server.localClient(GreeterService).sayHello({}), {
        code: Code.Internal,
        rawMessage: "internal error",
      });
    });
  });
}

function names(headers: Headers): string[] {
  return [...headers].map(([name]) => name);
}

describe("callOptions", () => {
  test("refuses a limit that is no time", () => {
    const context = { timeoutMs: () => undefined } as HandlerContext;
    assert.throws(() => callOptions(context, { timeoutMs: 0 }), {
      code: "INVALID_OPTION",
      message: /^timeoutMs must be an integer from 1 /,
    });
  });

  test("a deadline that has passed becomes one millisecond, never none", async () => {
    let timeoutMs: number | undefined;
    const server = createServer({
      services: [
        defineService(GreeterService, {
          sayHello(_, context) {
            const start = performance.now();
            while (performance.now() - start < 3);
            ({ timeoutMs } = callOptions(context));
            return {};
          },
        }),
      ],
    });
    const client = server.localClient(GreeterService);
    await client.sayHello({}, { timeoutMs: 2 }).catch(() => {});
    assert.equal(timeoutMs, 1);
  });
});
