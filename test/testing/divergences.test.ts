import assert, { AssertionError } from "node:assert/strict";
import { describe, test } from "node:test";
import { Code, ConnectError, createClient, type Interceptor } from "@connectrpc/connect";
import { defineService, transportKey } from "connectum/core";
import { defaultCompare, observeAll, type ParityOptions } from "connectum/testing/parity";
import { GreeterService } from "../../examples/greeter/gen/greeter/v1/greeter_pb.js";

// A server with one thing of everything that can be seen, and interceptors that change one of them
// for calls in process only.

const greeter = defineService(GreeterService, {
  sayHello({ name }, { responseHeader, responseTrailer }) {
    responseHeader.set("x-shard", "7");
    responseTrailer.set("x-cost", "3");
    if (name !== "") return { greeting: `Hello, ${name}!` };
    throw new ConnectError("name is empty", Code.InvalidArgument, { "x-field": "name" }, [
      { desc: GreeterService.method.sayHello.input, value: { name: "Ada" } },
    ]);
  },
  async *sayHelloInLanguages({ name }) {
    yield { greeting: `Hello, ${name}!` };
    yield { greeting: `Bonjour, ${name}!` };
    if (name === "") throw new ConnectError("no name", Code.OutOfRange);
  },
});

type Response = Awaited<ReturnType<ReturnType<Interceptor>>>;
type Change = (response: Response) => unknown;

const inProcessOnly =
  (interceptor: Interceptor): Interceptor =>
  (next) => {
    const changed = interceptor(next);
    return (request) =>
      request.contextValues.get(transportKey) === "in-process" ? changed(request) : next(request);
  };

const changing = (change: Change): Interceptor =>
  inProcessOnly((next) => async (request) => {
    const response = await next(request);
    const changed = change(response);
    return typeof changed === "object" ? (changed as Response) : response;
  });

interface Writable {
  code: Code;
  rawMessage: string;
  details: ConnectError["details"];
  readonly metadata: Headers;
}

const failing = (change: (error: Writable) => void): Interceptor =>
  inProcessOnly((next) => async (request) => {
    try {
      return await next(request);
    } catch (error) {
      change(error as Writable);
      throw error;
    }
  });

const streaming = (change: (messages: AsyncIterable<never>) => AsyncIterable<never>): Interceptor =>
  changing((response) =>
    response.stream ? { ...response, message: change(response.message as never) } : response,
  );

async function all(messages: AsyncIterable<never>): Promise<never[]> {
  const list: never[] = [];
  for await (const message of messages) list.push(message);
  return list;
}

interface Mutation {
  readonly what: string;
  readonly interceptors?: readonly Interceptor[];
  readonly clientInterceptors?: readonly Interceptor[];
  /** Where the report must say the difference is. */
  readonly path: RegExp;
}

let calls = 0;
const mutations: readonly Mutation[] = [
  {
    what: "a dropped trailer",
    interceptors: [changing(({ trailer }) => trailer.delete("x-cost"))],
    path: /calls\[0\]\.trailer\.x-cost\n +grpc +"3"\n +local +\(missing\)/,
  },
  {
    what: "a dropped header",
    interceptors: [changing(({ header }) => header.delete("x-shard"))],
    path: /calls\[0\]\.header\.x-shard\n +grpc +"7"\n +local +\(missing\)/,
  },
  {
    what: "a header too many",
    interceptors: [changing(({ header }) => header.set("x-debug", "1"))],
    path: /calls\[0\]\.header\.x-debug\n +grpc +\(missing\)\n +local +"1"/,
  },
  {
    what: "a changed code",
    interceptors: [
      failing((error) => {
        error.code = Code.Unknown;
      }),
    ],
    path: /calls\[1\]\.error\.code\n +grpc +"invalid_argument"\n +local +"unknown"/,
  },
  {
    what: "a changed message",
    interceptors: [
      failing((error) => {
        error.rawMessage = "empty";
      }),
    ],
    path: /calls\[1\]\.error\.message\n +grpc +"name is empty"\n +local +"empty"/,
  },
  {
    what: "a lost detail",
    interceptors: [
      failing((error) => {
        error.details = [];
      }),
    ],
    path: /calls\[1\]\.error\.details\[0\]/,
  },
  {
    what: "lost metadata of an error",
    interceptors: [failing(({ metadata }) => metadata.delete("x-field"))],
    path: /calls\[1\]\.error\.metadata\.x-field/,
  },
  {
    what: "another answer",
    interceptors: [
      changing((response) =>
        response.stream
          ? response
          : { ...response, message: { ...response.message, greeting: "Hi!" } },
      ),
    ],
    path: /result\.greeting\n +grpc +"Hello, Ada!"\n +local +"Hi!"/,
  },
  {
    what: "a stream out of order",
    interceptors: [
      streaming(async function* (messages) {
        yield* (await all(messages)).reverse();
      }),
    ],
    path: /result\.greetings\[0\]\n +grpc +"Hello, Ada!"\n +local +"Bonjour, Ada!"/,
  },
  {
    what: "a lost message",
    interceptors: [
      streaming(async function* (messages) {
        yield* (await all(messages)).slice(1);
      }),
    ],
    path: /result\.greetings\[1\]\n +grpc +"Bonjour, Ada!"\n +local +\(missing\)/,
  },
  {
    what: "a message sent twice",
    interceptors: [
      streaming(async function* (messages) {
        for await (const message of messages) {
          yield message;
          yield message;
        }
      }),
    ],
    path: /result\.greetings\[2\]\n +grpc +\(missing\)/,
  },
  {
    what: "a swallowed error at the end of a stream",
    interceptors: [
      streaming(async function* (messages) {
        try {
          yield* messages;
        } catch {}
      }),
    ],
    path: /calls\[3\]\.error/,
  },
  {
    what: "a call made twice",
    clientInterceptors: [
      inProcessOnly((next) => async (request) => {
        if (!request.stream && calls++ % 2 === 0) await next(request).catch(() => {});
        return next(request);
      }),
    ],
    path: /spans\.length\n +grpc +8\n +local +9/,
  },
  {
    what: "an answer that never came",
    interceptors: [
      inProcessOnly((next) => (request) => {
        if (request.stream) return next(request);
        return Promise.reject(new ConnectError("busy", Code.Unavailable));
      }),
    ],
    path: /thrown\n +grpc +\(missing\)\n +local +\{"code":"unavailable"/,
  },
];

const scenario: ParityOptions["scenario"] = async ({ transport }) => {
  const client = createClient(GreeterService, transport);
  const { greeting } = await client.sayHello({ name: "Ada" });
  await client.sayHello({}).catch(() => {});
  const greetings: string[] = [];
  for await (const message of client.sayHelloInLanguages({ name: "Ada" })) {
    greetings.push(message.greeting);
  }
  try {
    for await (const _ of client.sayHelloInLanguages({}));
  } catch {}
  return { greeting, greetings };
};

function observed({ interceptors = [], clientInterceptors }: Partial<Mutation>) {
  const transports = ["grpc", "local"] as const;
  const services = [greeter];
  return observeAll({ services, interceptors, clientInterceptors, transports, scenario });
}

async function report(mutation: Partial<Mutation>): Promise<string> {
  const outcomes = await observed(mutation);
  try {
    defaultCompare(outcomes);
  } catch (error) {
    assert.ok(error instanceof AssertionError);
    return error.message;
  }
  return "no difference";
}

describe("defaultCompare", () => {
  test("finds nothing where nothing differs", async () => {
    assert.equal(await report({}), "no difference");
  });

  test("a server without telemetry has no spans and metrics to compare", async () => {
    const transports = ["grpc", "connectHttp1", "grpcWebHttp1", "local"] as const;
    const outcomes = await observeAll({
      services: [greeter],
      interceptors: [],
      telemetry: false,
      transports,
      scenario,
    });
    assert.deepEqual([...outcomes.keys()], transports);
    for (const { spans, metrics } of outcomes.values())
      assert.deepEqual([spans, metrics], [[], []]);
    defaultCompare(outcomes);
  });

  for (const mutation of mutations) {
    test(`catches ${mutation.what}`, async () => {
      assert.match(await report(mutation), mutation.path);
    });
  }

  test("says what differs so that a person sees it at a glance", async () => {
    const [droppedTrailer] = mutations;
    assert.equal(
      await report(droppedTrailer as Mutation),
      [
        "local differs from grpc:",
        "  calls[0].trailer.x-cost",
        '    grpc   "3"',
        "    local  (missing)",
      ].join("\n"),
    );
  });
});
