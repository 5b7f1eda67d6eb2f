import { once } from "node:events";
import { request } from "node:http";
import { connect } from "node:http2";
import { setImmediate as turn } from "node:timers/promises";
import { type CallOptions, createClient, type Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { createJwtAuthInterceptor } from "connectum/auth";
import { createLocalTransport, createServer, defineService } from "connectum/core";
import { Healthcheck, ServingStatus } from "connectum/healthcheck";
import { createDefaultInterceptors } from "connectum/interceptors";
import { Health } from "../../../src/healthcheck/gen/grpc/health/v1/health_pb.js";
import { EchoService } from "../../gen/connectum/bench/v1/echo_pb.js";

// Argument: which delay is measured. Sends the milliseconds of every try.
const tries = 200;
const watchers = 1_000;
const measures: Record<string, () => Promise<Record<string, number[]>>> = {
  leave,
  watch,
  refused,
  timeout,
};
const measured = await measures[process.argv[2] ?? ""]?.();
process.send?.(measured, () => process.exit(0));

/** From a client that leaves to the signal of its handler, and to the end of its generator. */
async function leave(): Promise<Record<string, number[]>> {
  let entered = () => {};
  let left = (_at: number) => {};
  const server = createServer({
    services: [
      defineService(EchoService, {
        async echo(_, { signal }) {
          entered();
          await once(signal, "abort");
          left(performance.now());
          return {};
        },
        async *repeat(_, { signal }) {
          try {
            yield {};
            entered();
            await once(signal, "abort");
          } finally {
            left(performance.now());
          }
        },
        async *converse(requests) {
          try {
            for await (const _ of requests) {
              yield {};
              entered();
            }
          } finally {
            left(performance.now());
          }
        },
      }),
    ],
    port: 0,
    host: "127.0.0.1",
    // One client leaves several hundred calls a second here.
    floodLimits: { resetsPerSecond: 100_000 },
  });
  await server.start();
  const { port } = server.address as unknown as { port: number };
  const baseUrl = `http://127.0.0.1:${port}`;
  const transports: Record<string, Transport> = {
    "gRPC h2": createGrpcTransport({ baseUrl }),
    "Connect h1": createConnectTransport({ baseUrl, httpVersion: "1.1" }),
    "in process": createLocalTransport(server),
  };
  const delays: Record<string, number[]> = {};
  for (const [name, transport] of Object.entries(transports)) {
    const client = createClient(EchoService, transport);
    const calls: Record<string, (options: CallOptions) => Promise<unknown>> = {
      unary: (options) => client.echo({}, options),
      "server stream": (options) => readAll(client.repeat({}, options)),
      "bidi stream": (options) => readAll(client.converse(oneMessage(), options)),
    };
    for (const [kind, call] of Object.entries(calls)) {
      // A bidi stream needs HTTP/2.
      if (kind === "bidi stream" && name === "Connect h1") continue;
      const values: number[] = [];
      for (let count = 0; count < tries; count++) {
        const controller = new AbortController();
        const hasEntered = new Promise<void>((resolve) => {
          entered = resolve;
        });
        const hasLeft = new Promise<number>((resolve) => {
          left = resolve;
        });
        call({ signal: controller.signal }).catch(() => {});
        await hasEntered;
        await turn();
        const start = performance.now();
        controller.abort();
        values.push((await hasLeft) - start);
      }
      delays[`${kind}, ${name}`] = values;
    }
  }
  return delays;
}

async function readAll(messages: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of messages);
}

/** And then nothing, until the client leaves. */
async function* oneMessage() {
  yield {};
  await new Promise(() => {});
}

/** From a change of health to the last of many watchers that sees it. */
async function watch(): Promise<Record<string, number[]>> {
  const health = Healthcheck();
  const server = createServer({
    services: [defineService(EchoService, {})],
    port: 0,
    host: "127.0.0.1",
    protocols: [health],
  });
  await server.start();
  const { port } = server.address as unknown as { port: number };
  const client = createClient(Health, createGrpcTransport({ baseUrl: `http://127.0.0.1:${port}` }));
  const watches = Array.from({ length: watchers }, () => client.watch({})[Symbol.asyncIterator]());
  await Promise.all(watches.map((iterator) => iterator.next()));
  const delays: number[] = [];
  for (let count = 0; count < tries; count++) {
    const seen = Promise.all(watches.map((iterator) => iterator.next()));
    const start = performance.now();
    const { NOT_SERVING, SERVING } = ServingStatus;
    health.manager.update(count % 2 === 0 ? NOT_SERVING : SERVING);
    await seen;
    delays.push(performance.now() - start);
  }
  return { [`all of ${watchers} watchers`]: delays };
}

/** From the first bytes of an upload without a token to its refusal. */
async function refused(): Promise<Record<string, number[]>> {
  const server = createServer({
    services: [defineService(EchoService, {})],
    port: 0,
    host: "127.0.0.1",
    interceptors: [createJwtAuthInterceptor({ secret: "s".repeat(32) })],
  });
  await server.start();
  const { port } = server.address as unknown as { port: number };
  const baseUrl = `http://127.0.0.1:${port}`;
  const path = "/connectum.bench.v1.EchoService/Echo";
  const upload = Buffer.alloc(1024 * 1024);
  // What is left of earlier uploads counts against a limit of 10 MB on the client.
  const session = connect(baseUrl, { maxSessionMemory: 1_000 });
  await once(session, "remoteSettings");
  const senders: Record<string, () => Promise<unknown>> = {
    "gRPC h2": () => {
      const stream = session.request({
        ":method": "POST",
        ":path": path,
        "content-type": "application/grpc+proto",
        te: "trailers",
      });
      stream.on("error", () => {});
      stream.resume();
      stream.write(upload);
      return once(stream, "response");
    },
    "Connect h1": () => {
      const headers = { "content-type": "application/proto" };
      const call = request(baseUrl + path, { method: "POST", headers, agent: false });
      call.on("error", () => {});
      call.write(upload);
      return once(call, "response").then(([response]) => response.resume());
    },
  };
  const delays: Record<string, number[]> = {};
  for (const [name, send] of Object.entries(senders)) {
    delays[name] = [];
    for (let count = 0; count < tries; count++) {
      await turn();
      const start = performance.now();
      await send();
      delays[name].push(performance.now() - start);
    }
  }
  return delays;
}

/** From the deadline that the timeout interceptor sets to the signal of the handler. */
async function timeout(): Promise<Record<string, number[]>> {
  const timeoutMs = 20;
  const delays: number[] = [];
  const server = createServer({
    services: [
      defineService(EchoService, {
        async echo(_, { signal }) {
          const due = performance.now() + timeoutMs;
          await once(signal, "abort");
          delays.push(performance.now() - due);
          return {};
        },
      }),
    ],
    interceptors: createDefaultInterceptors({
      timeout: { timeoutMs },
      circuitBreaker: false,
    }),
  });
  const client = createClient(EchoService, createLocalTransport(server));
  for (let count = 0; count < tries; count++) await client.echo({}).catch(() => {});
  return { "20 ms": delays };
}
