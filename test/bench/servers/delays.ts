import { once } from "node:events";
import { setImmediate as turn } from "node:timers/promises";
import { createClient, type Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { createLocalTransport, createServer, defineService } from "connectum/core";
import { Healthcheck, ServingStatus } from "connectum/healthcheck";
import { createDefaultInterceptors } from "connectum/interceptors";
import { Health } from "../../../src/healthcheck/gen/grpc/health/v1/health_pb.js";
import { EchoService } from "../../gen/connectum/bench/v1/echo_pb.js";

// Argument: which delay is measured. Sends the milliseconds of every try.
const tries = 200;
const watchers = 1_000;
const measure = { leave, watch, timeout }[process.argv[2] as "leave" | "watch" | "timeout"];
const measured = await measure();
process.send?.(measured, () => process.exit(0));

/** From a client that leaves to the signal of its handler. */
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
    delays[name] = [];
    for (let count = 0; count < tries; count++) {
      const controller = new AbortController();
      const hasEntered = new Promise<void>((resolve) => {
        entered = resolve;
      });
      const hasLeft = new Promise<number>((resolve) => {
        left = resolve;
      });
      client.echo({}, { signal: controller.signal }).catch(() => {});
      await hasEntered;
      await turn();
      const start = performance.now();
      controller.abort();
      delays[name].push((await hasLeft) - start);
    }
  }
  return delays;
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
