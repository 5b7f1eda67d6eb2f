import assert from "node:assert/strict";
import { test } from "node:test";
import { createClient } from "@connectrpc/connect";
import { createServer, defineService } from "connectum/core";
import {
  createFakeClock,
  createLocalClient,
  InMemoryMetricCollector,
  InMemorySpanCollector,
  withTestServer,
} from "connectum/testing";
import { GreeterService } from "../../examples/greeter/gen/greeter/v1/greeter_pb.js";
import { greeter } from "../../examples/greeter/service.ts";

const services = [defineService(GreeterService, greeter)];

test("register() of the span collector gives a tree of the server's spans, once", async () => {
  const spans = new InMemorySpanCollector();
  const server = createServer({ services });
  spans.register(server);
  await createLocalClient(server, GreeterService).sayHello({ name: "Ada" });
  const [span, ...others] = await spans.flush();
  assert.deepEqual(others, []);
  assert.equal(span?.name, "greeter.v1.GreeterService/SayHello");
  assert.equal(span?.kind, "SERVER");
  assert.equal(span?.status, "UNSET");
  assert.deepEqual(span?.children, []);
  assert.deepEqual(Object.keys(span?.attributes ?? {}), Object.keys(span?.attributes ?? {}).sort());
  assert.deepEqual(await spans.flush(), []);
});

test("spans can be had while a fake clock stands still", async () => {
  const spans = new InMemorySpanCollector();
  const clock = createFakeClock();
  try {
    spans.tracerProvider.getTracer("test").startSpan("in no time").end();
    const [span] = await spans.flush();
    assert.equal(span?.name, "in no time");
    assert.equal(clock.pendingTimers, 0);
  } finally {
    clock.dispose();
  }
});

test("a span keeps all of its events", async () => {
  const spans = new InMemorySpanCollector();
  const span = spans.tracerProvider.getTracer("test").startSpan("long");
  for (let index = 0; index < 1_000; index++) span.addEvent(String(index));
  span.end();
  const [collected] = await spans.flush();
  assert.equal(collected?.events.length, 1_000);
  assert.equal(collected?.events[0]?.name, "0");
});

test("spans hang under their parents", async () => {
  const spans = new InMemorySpanCollector();
  const tracer = spans.tracerProvider.getTracer("test");
  const { context, trace } = await import("@opentelemetry/api");
  const parent = tracer.startSpan("parent");
  const within = trace.setSpan(context.active(), parent);
  tracer.startSpan("second", {}, within).end();
  tracer.startSpan("first", {}, within).end();
  parent.end();
  const [root] = await spans.flush();
  assert.equal(root?.name, "parent");
  assert.deepEqual(
    root?.children.map(({ name }) => name),
    ["first", "second"],
  );
});

test("register() of the metric collector counts calls, without their durations", async () => {
  const metrics = new InMemoryMetricCollector();
  const server = createServer({ services });
  metrics.register(server);
  const client = createLocalClient(server, GreeterService);
  await client.sayHello({ name: "Ada" });
  await client.sayHello({ name: "Grace" });
  await client.sayHello({ name: "" }).catch(() => {});
  const collected = await metrics.flush();
  const calls = collected.find(({ name }) => name === "rpc.server.call.duration");
  assert.equal(calls?.unit, "s");
  assert.deepEqual(calls?.points.map(({ count, sum }) => ({ count, sum })).sort(byCount), [
    { count: 1, sum: undefined },
    { count: 2, sum: undefined },
  ]);
  const errors = collected.find(({ name }) => name === "rpc.server.errors");
  assert.equal(errors?.points[0]?.value, 1);
  const sizes = collected.find(({ name }) => name === "rpc.server.request.size");
  const bytes = sizes?.points.reduce((total, { sum = 0 }) => total + sum, 0);
  assert.equal(bytes, "Ada".length + 2 + "Grace".length + 2);
});

function byCount(one: { count?: number }, other: { count?: number }) {
  return (one.count ?? 0) - (other.count ?? 0);
}

test("collectors never touch the global providers", async () => {
  const { trace } = await import("@opentelemetry/api");
  const spans = new InMemorySpanCollector();
  await withTestServer({ services }, async ({ transport }) => {
    await createClient(GreeterService, transport).sayHello({ name: "Ada" });
  });
  assert.equal(trace.getTracer("test").startSpan("x").isRecording(), false);
  assert.deepEqual(await spans.flush(), []);
});
