import assert from "node:assert/strict";
import * as http from "node:http";
import * as http2 from "node:http2";
import { type Profiler, Session } from "node:inspector";
import { describe, type TestContext, test } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { OnceRequestSchema, ScriptService } from "../../gen/connectum/script/v1/script_pb.js";
import { sendHttp1, sendHttp2 } from "../doors/send-pieces.ts";

const CALLS = 50;

/** How often something of the global scope was made, by name. */
const made: Record<string, number> = {};

for (const name of ["AbortController", "Headers", "DOMException"] as const) {
  const original = globalThis[name] as new (...args: unknown[]) => object;
  const counting: typeof original = new Proxy(original, {
    construct(target, args, newTarget): object {
      made[name] = (made[name] ?? 0) + 1;
      return Reflect.construct(target, args, newTarget === counting ? target : newTarget);
    },
  });
  Object.assign(globalThis, { [name]: counting });
}
for (const name of ["setTimeout", "setInterval"] as const) {
  const original = globalThis[name];
  const counting = (callback: () => void, ms?: number, ...args: []) => {
    made[name] = (made[name] ?? 0) + 1;
    return original(callback, ms, ...args);
  };
  Object.assign(globalThis, { [name]: Object.assign(counting, original) });
}

// Core must find the counting ones.
const { createServer, defineService } = await import("connectum/core");
const { createTestServer } = await import("connectum/testing");

type Look = (context: import("@connectrpc/connect").HandlerContext) => void;

const bytes = Buffer.from(
  toBinary(OnceRequestSchema, create(OnceRequestSchema, { content: { text: "plain" } })),
);
const frame = Buffer.concat([Buffer.from([0, 0, 0, 0, bytes.byteLength]), bytes]);

const wires = [
  { name: "Connect h1", version: 1, type: "application/proto", body: bytes },
  { name: "Connect h1 JSON", version: 1, type: "application/json", body: Buffer.from("{}") },
  { name: "Connect h2", version: 2, type: "application/proto", body: bytes },
  { name: "gRPC h2", version: 2, type: "application/grpc", body: frame },
  { name: "gRPC-Web h1", version: 1, type: "application/grpc-web", body: frame },
  { name: "gRPC-Web h2", version: 2, type: "application/grpc-web", body: frame },
] as const;

type Wire = (typeof wires)[number];

/** What is made in calls after the first ones, per call. */
async function countMade(call: () => Promise<unknown>): Promise<Record<string, number>> {
  for (let count = 0; count < 5; count++) await call();
  const session = new Session();
  session.connect();
  session.post("Profiler.enable");
  session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: false });
  for (const name of Object.keys(made)) made[name] = 0;
  for (let count = 0; count < CALLS; count++) await call();
  const result = await new Promise<Profiler.ScriptCoverage[]>((resolve, reject) => {
    session.post("Profiler.takePreciseCoverage", (error, params) =>
      error ? reject(error) : resolve(params.result),
    );
  });
  session.disconnect();
  const counts = { ...made };
  for (const { url, functions } of result) {
    if (!url.includes("/dist/")) continue;
    for (const { functionName, ranges } of functions) {
      // The bundler puts an underscore before the inner name of a class that refers to itself.
      const name = functionName.replace(/^_/, "");
      const count = ranges[0]?.count ?? 0;
      if (name === "CallValues" || name === "RpcHeaders")
        counts[name] = (counts[name] ?? 0) + count;
    }
  }
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
}

async function start(t: TestContext, look: Look, { version, type, body }: Wire) {
  const { baseUrl, port } = await createTestServer({
    t,
    services: [
      defineService(ScriptService, {
        once({ content }, context) {
          look(context);
          return { content };
        },
      }),
    ],
  });
  const path = `/${ScriptService.typeName}/Once`;
  const pieces = [{ bytes: body, pause: 0 }];
  const session = version === 2 ? http2.connect(baseUrl) : undefined;
  const agent = new http.Agent({ keepAlive: true });
  t.after(() => {
    session?.destroy();
    agent.destroy();
  });
  const headers = { "content-type": type };
  return () =>
    session
      ? sendHttp2(session, path, headers, pieces)
      : sendHttp1(port, path, headers, pieces, agent);
}

describe("a call that ends well and that nobody inspects", () => {
  for (const wire of wires) {
    test(`builds nothing over ${wire.name}`, async (t) => {
      assert.deepEqual(await countMade(await start(t, () => {}, wire)), {});
    });
  }

  // Its caller gets the headers of the answer in any case.
  test("builds no signal, values, timer or exception in process", async () => {
    const server = createServer({
      services: [defineService(ScriptService, { once: ({ content }) => ({ content }) })],
    });
    const client = server.localClient(ScriptService);
    const { RpcHeaders: _, ...counts } = await countMade(() => client.once({}));
    assert.deepEqual(counts, {});
  });

  test("is told from one that reads everything, so that the tests above can fail", async (t) => {
    const look: Look = ({ signal, values, requestHeader, timeoutMs }) => {
      assert.ok(signal && values && requestHeader && timeoutMs);
      setTimeout(() => {}, 0);
      new Headers();
      new DOMException();
    };
    const counts = await countMade(await start(t, look, wires[3]));
    assert.deepEqual(counts, {
      AbortController: CALLS,
      CallValues: CALLS,
      DOMException: CALLS,
      Headers: CALLS,
      RpcHeaders: CALLS,
      setTimeout: CALLS,
    });
  });
});
