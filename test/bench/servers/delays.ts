import { once } from "node:events";
import { setImmediate as turn } from "node:timers/promises";
import { type CallOptions, createClient, type Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { createLocalTransport, createServer, defineService } from "connectum/core";
import { Healthcheck, ServingStatus } from "connectum/healthcheck";
import { Health } from "../../../src/healthcheck/gen/grpc/health/v1/health_pb.js";
import { EchoService } from "../../gen/connectum/bench/v1/echo_pb.js";

// Argument: which delay is measured. Sends the milliseconds of every try.
const tries = 200;
const watchers = 1_000;
const measured = process.argv[2] === "watch" ? await watch() : await leave();
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
