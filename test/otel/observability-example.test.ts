import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { test } from "node:test";
import { getProvider } from "connectum/otel";
import { main as startDemo } from "../../examples/observability/demo.ts";
import { drawTrace, type TracedSpan } from "../../examples/observability/draw-trace.ts";
import { main as makeTraffic } from "../../examples/observability/traffic.ts";
import { missing } from "../interop/tools.ts";
import { collectorProbe, python } from "./collector.ts";

const skip = missing(python, collectorProbe) || missing("prometheus");

test("the observability example sends one connected trace, logs within it, and metrics", {
  skip,
}, async (t) => {
  const demo = await startDemo({
    shopPort: 0,
    collectorPort: 0,
    prometheusPort: await freePort(),
  });
  t.after(() => demo.stop());
  const calls = await makeTraffic(demo.shop, 10);
  assert.equal(calls, 19);
  await getProvider()?.forceFlush();

  const spans = (await (await fetch(`${demo.collector}/spans`)).json()) as TracedSpan[];
  const charge = spans.find(({ name, kind }) => name.endsWith("/Charge") && kind === 2);
  const trace = spans.filter(({ traceId }) => traceId === charge?.traceId);
  const nameOf = (id: string) => trace.find(({ spanId }) => spanId === id)?.name ?? "";
  assert.deepEqual(
    trace.map(({ name, kind, parentSpanId }) => `${kind} ${nameOf(parentSpanId)} > ${name}`).sort(),
    [
      "1 shop.v1.StockService/Reserve > Shelf.take",
      "2  > shop.v1.OrderService/PlaceOrder",
      "2 shop.v1.PaymentService/Charge > shop.v1.PaymentService/Charge",
      "2 shop.v1.StockService/Reserve > shop.v1.StockService/Reserve",
      "3 shop.v1.OrderService/PlaceOrder > shop.v1.PaymentService/Charge",
      "3 shop.v1.OrderService/PlaceOrder > shop.v1.StockService/Reserve",
    ],
  );
  const svg = drawTrace(trace);
  for (const { name } of trace) assert.ok(svg.includes(name));

  interface LogLine {
    readonly body: string;
    readonly traceId: string;
  }
  const logs = (await (await fetch(`${demo.collector}/logs`)).json()) as LogLine[];
  const inTrace = logs.filter(({ traceId }) => traceId === charge?.traceId);
  assert.deepEqual(inTrace.map(({ body }) => body).sort(), ["charged", "order placed"]);

  const metrics = await (await fetch(`${demo.shop}/metrics`)).text();
  assert.match(metrics, /rpc_server_call_duration_count\{.*rpc_method="FollowOrder".*\} 9/);
});

test("the pictures of the README are there", () => {
  const readme = readFileSync("examples/observability/README.md", "utf8");
  for (const [, file = ""] of readme.matchAll(/!\[[^\]]+\]\(([^)]+)\)/g)) {
    assert.ok(readFileSync(`examples/observability/${file}`).byteLength > 1_000, file);
  }
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
