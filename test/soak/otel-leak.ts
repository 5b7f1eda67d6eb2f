// `npm run test:otel-leak`: a million calls, unary and streams, leave no memory, listener or timer behind.
import assert from "node:assert/strict";
import type { AddressInfo } from "node:net";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { MeterProvider, MetricReader } from "@opentelemetry/sdk-metrics";
import {
  BatchSpanProcessor,
  InMemorySpanExporter,
  NodeTracerProvider,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
} from "@opentelemetry/sdk-trace-node";
import { createLocalTransport, createServer, defineService } from "connectum/core";
import { createOtelClientInterceptor, createOtelInterceptor } from "connectum/otel";
import { EchoService } from "../gen/connectum/bench/v1/echo_pb.js";

const calls = Number(process.env.CALLS ?? 1_000_000);
const { gc } = globalThis as { gc?: () => void };
if (!gc) throw new Error("run with --expose-gc");

class Reader extends MetricReader {
  protected override async onForceFlush(): Promise<void> {}
  protected override async onShutdown(): Promise<void> {}
}

class DroppingExporter extends InMemorySpanExporter {
  override export(...[, callback]: Parameters<InMemorySpanExporter["export"]>): void {
    callback({ code: 0 });
  }
}

const reader = new Reader();
const tracerProvider = new NodeTracerProvider({
  sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(0.01) }),
  spanProcessors: [new BatchSpanProcessor(new DroppingExporter())],
});
tracerProvider.register();
const providers = { tracerProvider, meterProvider: new MeterProvider({ readers: [reader] }) };
const server = createServer({
  services: [
    defineService(EchoService, {
      echo({ text }) {
        if (text === "fail") throw new Error("asked to");
        return { text };
      },
      async *repeat({ text, count }) {
        for (let i = 0; i < count; i++) yield { text };
      },
    }),
  ],
  interceptors: [createOtelInterceptor(providers)],
  host: "127.0.0.1",
  port: 0,
});
await server.start();
const interceptors = [createOtelClientInterceptor(providers)];
const { port } = server.address as AddressInfo;
const local = createClient(EchoService, createLocalTransport(server, { interceptors }));
const remote = createClient(
  EchoService,
  createGrpcTransport({ baseUrl: `http://127.0.0.1:${port}`, interceptors }),
);

/** Of every kind a little: most are local, because those are cheap. */
async function call(index: number): Promise<void> {
  const client = index % 100 === 1 ? remote : local;
  if (index % 10 === 3) {
    for await (const _ of client.repeat({ text: "x", count: 2 }));
  } else if (index % 50 === 7) {
    const caller = new AbortController();
    const stream = client.repeat({ text: "x", count: 2 }, { signal: caller.signal });
    await stream[Symbol.asyncIterator]().next();
    caller.abort();
  } else {
    const text = index % 100 === 2 ? "fail" : "x";
    await client.echo({ text }).catch(() => {});
  }
}

async function heap(): Promise<number> {
  for (let round = 0; round < 4; round++) {
    gc?.();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await reader.collect();
  return process.memoryUsage().heapUsed / 1e6;
}

const resources = () =>
  process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;

async function run(count: number): Promise<void> {
  for (let index = 0; index < count; index += 50) {
    await Promise.all(Array.from({ length: 50 }, (_, offset) => call(index + offset)));
  }
}

const tenth = Math.ceil(calls / 10);
await run(tenth);
const before = { heap: await heap(), timers: resources() };
const heaps: number[] = [];
for (let round = 1; round < 10; round++) {
  await run(tenth);
  heaps.push(await heap());
  console.log(`${(round + 1) * tenth} calls, heap ${heaps.at(-1)?.toFixed(1)} MB`);
}
const timers = resources();
const series = heaps.map((value) => value.toFixed(1)).join(" ");
console.log(`heap after each ${tenth} calls, MB: ${before.heap.toFixed(1)} | ${series}`);
console.log(`timers: ${before.timers} before, ${timers} after`);
const growth = Math.min(...heaps.slice(-3)) - Math.min(before.heap, ...heaps.slice(0, 3));
assert.ok(growth < 2, `the heap grew by ${growth.toFixed(1)} MB`);
assert.ok(timers <= before.timers + 2, "timers stay behind");
const { resourceMetrics } = await reader.collect();
const active = resourceMetrics.scopeMetrics
  .flatMap(({ metrics }) => metrics)
  .find(({ descriptor }) => descriptor.name === "rpc.server.active_requests");
assert.ok(
  active?.dataPoints.every(({ value }) => value === 0),
  "calls count as active for ever",
);
await server.stop();
process.exit(0);
