import type { TestContext } from "node:test";
import {
  type CallOptions,
  Code,
  ConnectError,
  createClient,
  type Interceptor,
  type Transport,
} from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { createLocalTransport, defineService } from "connectum/core";
import { createOtelClientInterceptor, createOtelInterceptor, type Semconv } from "connectum/otel";
import { createTestServer } from "connectum/testing";
import { ScriptService } from "../gen/connectum/script/v1/script_pb.js";
import { withResolvers } from "../support/with-resolvers.ts";
import { Collected, describe, ManualClock } from "./collected.ts";

export const protocols = ["Connect", "gRPC", "gRPC-Web", "in process"] as const;
export const semconvs = ["connectum", "stable", "dup"] as const;

export const outcomes = [
  "ok",
  "client error",
  "server error",
  "thrown mid-stream",
  "cancelled",
  "deadline",
  "early return",
] as const;

type Outcome = (typeof outcomes)[number];

/** Calls of every kind that end in every way; unary ones have no middle. */
export const calls = [
  ...outcomes
    .filter((outcome) => !["thrown mid-stream", "early return"].includes(outcome))
    .map((outcome) => ["unary", outcome] as const),
  ...outcomes.map((outcome) => ["server_streaming", outcome] as const),
  ...outcomes.map((outcome) => ["client_streaming", outcome] as const),
  ...outcomes.map((outcome) => ["bidi_streaming", outcome] as const),
];

type Call = (typeof calls)[number];

/** Makes one call and returns all that was recorded of it, as text. */
export async function record(
  t: TestContext,
  protocol: (typeof protocols)[number],
  semconv: Semconv,
  [kind, outcome]: Call,
): Promise<string[]> {
  const collected = new Collected();
  const clock = new ManualClock();
  const startMs = clock.now();
  const play = new Play(clock, outcome);
  const common = { ...collected.providers, clock, semconv };
  const { server, baseUrl, port } = await createTestServer({
    t,
    services: [defineService(ScriptService, play.handlers)],
    interceptors: [createOtelInterceptor(common)],
  });
  const interceptors = [
    ...(outcome === "early return" && kind !== "client_streaming" ? [readOne] : []),
    createOtelClientInterceptor({ ...common, serverAddress: "script.test", serverPort: 443 }),
  ];
  const transports: Record<typeof protocol, () => Transport> = {
    Connect: () => createConnectTransport({ baseUrl, httpVersion: "2", interceptors }),
    gRPC: () => createGrpcTransport({ baseUrl, interceptors }),
    "gRPC-Web": () => createGrpcWebTransport({ baseUrl, httpVersion: "2", interceptors }),
    "in process": () => createLocalTransport(server, { interceptors }),
  };
  const options: CallOptions = { signal: play.caller.signal };
  // Over the network only the server has the deadline: of two timers either may be first.
  if (outcome === "deadline") Object.assign(options, deadlines[protocol]);
  await play.run(transports[protocol](), kind, options);
  await collected.ended(2);
  const lines = await describe(collected, startMs);
  return lines.map((line) =>
    line
      .replace(`server.port=${port}`, "server.port=<port>")
      .replace(/network\.peer\.port=\d+/, "network.peer.port=<client port>"),
  );
}

/** Returns after one answer. Clients of connect-es never tell their transport that they left a loop. */
const readOne: Interceptor = (next) => async (request) => {
  const response = await next(request);
  if (!response.stream) return response;
  async function* first<T>(messages: AsyncIterable<T>) {
    for await (const message of messages) {
      yield message;
      return;
    }
  }
  return { ...response, message: first(response.message) } as typeof response;
};

const deadlines: Record<(typeof protocols)[number], CallOptions> = {
  Connect: { headers: { "connect-timeout-ms": "250" } },
  gRPC: { headers: { "grpc-timeout": "250m" } },
  "gRPC-Web": { headers: { "grpc-timeout": "250m" } },
  "in process": { timeoutMs: 250 },
};

/** Both sides of a call. The clock moves only while exactly one of them can act. */
class Play {
  readonly caller = new AbortController();
  readonly #clock: ManualClock;
  readonly #outcome: Outcome;
  /** The caller has read the first answer. */
  readonly #firstRead = withResolvers();
  /** The handler has read the first message. */
  readonly #firstTaken = withResolvers();

  constructor(clock: ManualClock, outcome: Outcome) {
    this.#clock = clock;
    this.#outcome = outcome;
  }

  get handlers() {
    const play = this;
    return {
      async once(_: unknown, { signal }: { signal: AbortSignal }) {
        play.#clock.tick(100);
        play.#failEarly();
        await play.#wait(signal);
        return { content: { text: "answer" } };
      },
      async *download(_: unknown, { signal }: { signal: AbortSignal }) {
        play.#clock.tick(100);
        play.#failEarly();
        yield { content: { text: "first answer" } };
        await play.#middle(signal, play.#firstRead.promise);
        yield { content: { text: "second" } };
      },
      async upload(requests: AsyncIterable<unknown>, { signal }: { signal: AbortSignal }) {
        const iterator = requests[Symbol.asyncIterator]();
        await iterator.next();
        play.#clock.tick(100);
        play.#failEarly();
        if (play.#outcome === "early return") return { content: { text: "enough" } };
        await play.#middle(signal, Promise.resolve());
        play.#firstTaken.resolve();
        while (!(await iterator.next()).done);
        play.#clock.tick(10);
        return { content: { text: "all" } };
      },
      async *talk(requests: AsyncIterable<unknown>, { signal }: { signal: AbortSignal }) {
        const iterator = requests[Symbol.asyncIterator]();
        await iterator.next();
        play.#clock.tick(100);
        play.#failEarly();
        yield { content: { text: "first answer" } };
        await play.#middle(signal, play.#firstRead.promise);
        play.#firstTaken.resolve();
        while (!(await iterator.next()).done);
        play.#clock.tick(10);
        yield { content: { text: "second" } };
      },
    };
  }

  async run(transport: Transport, kind: Call[0], options: CallOptions): Promise<void> {
    const request = { content: { text: "question" } };
    const client = createClient(ScriptService, transport);
    try {
      if (kind === "unary") await client.once(request, options);
      if (kind === "client_streaming") await client.upload(this.#requests(), options);
      if (kind === "server_streaming") await this.#read(client.download(request, options));
      if (kind === "bidi_streaming") await this.#read(client.talk(this.#requests(), options));
    } catch (error) {
      if (!(error instanceof ConnectError) || this.#outcome === "ok") throw error;
    }
  }

  async *#requests() {
    yield { content: { text: "first question" } };
    await this.#firstTaken.promise;
    yield { content: { text: "second" } };
  }

  async #read(answers: AsyncIterable<unknown>): Promise<void> {
    for await (const _ of answers) this.#firstRead.resolve();
  }

  #failEarly(): void {
    if (this.#outcome === "client error") {
      throw new ConnectError("no such thing", Code.NotFound);
    }
    if (this.#outcome === "server error") throw new Error("the database is down");
  }

  async #middle(signal: AbortSignal, turn: Promise<void>): Promise<void> {
    await Promise.race([turn, aborted(signal)]);
    signal.throwIfAborted();
    // The deadline runs on the real clock and may be slower than the turn, or faster.
    if (this.#outcome !== "deadline") this.#clock.tick(50);
    if (this.#outcome === "thrown mid-stream") throw new Error("the database went down");
    await this.#wait(signal);
  }

  /** Until what shall end the call has happened. */
  async #wait(signal: AbortSignal): Promise<void> {
    if (this.#outcome === "cancelled") this.caller.abort();
    const isEnding = ["cancelled", "deadline", "early return"].includes(this.#outcome);
    if (isEnding) await aborted(signal);
    signal.throwIfAborted();
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve()));
}
