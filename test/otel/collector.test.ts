import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { defineService } from "connectum/core";
import {
  createOtelClientInterceptor,
  createOtelInterceptor,
  getLogger,
  getProvider,
  initProvider,
  shutdownProvider,
} from "connectum/otel";
import { createTestServer } from "connectum/testing";
import { EchoService } from "../gen/connectum/bench/v1/echo_pb.js";
import { missing } from "../interop/tools.ts";
import { collectorProbe, python, startCollector } from "./collector.ts";
import { withEnv } from "./with-env.ts";

const skip = missing(python, collectorProbe);
const CALLS = 150;

async function callEcho(t: TestContext, calls: number): Promise<number> {
  const { baseUrl } = await createTestServer({
    t,
    services: [
      defineService(EchoService, {
        echo({ text }) {
          // One is enough: a stack costs much where source maps are on, as they are in tests.
          const err = text === "t0" ? new Error("logged") : undefined;
          getLogger("echo").info({ text, size: text.length, err }, "echoed");
          return { text };
        },
      }),
    ],
    interceptors: [createOtelInterceptor({ trustRemote: true })],
  });
  const interceptors = [createOtelClientInterceptor()];
  const transport = createConnectTransport({ baseUrl, httpVersion: "2", interceptors });
  const client = createClient(EchoService, transport);
  const texts = await Promise.all(
    Array.from({ length: calls }, async (_, i) => (await client.echo({ text: `t${i}` })).text),
  );
  return new Set(texts).size;
}

for (const protocol of ["http/protobuf", "http/json", "grpc"] as const) {
  test(`a collector gets by ${protocol} exactly the calls that were made`, { skip }, async (t) => {
    const collector = await startCollector(t);
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: protocol === "grpc" ? collector.grpc : collector.http,
      OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
      OTEL_EXPORTER_OTLP_COMPRESSION: "gzip",
    };
    await withEnv(env, async () => {
      await initProvider({ serviceName: "echo" });
      assert.equal(await callEcho(t, CALLS), CALLS);
    });
    const counts = await collector.get<Record<string, number>>("/counts");
    assert.equal(counts[`spans ${protocol}`], 2 * CALLS);
    assert.equal(counts[`records ${protocol}`], CALLS);
    assert.deepEqual(await collector.get("/calls"), {
      [`rpc.client.call.duration ${protocol}`]: CALLS,
      [`rpc.server.call.duration ${protocol}`]: CALLS,
    });
    interface Span {
      readonly spanId: string;
      readonly parentSpanId: string;
      readonly traceId: string;
      readonly kind: number;
      readonly service: string;
      readonly name: string;
    }
    const spans = await collector.get<Span[]>("/spans");
    assert.ok(spans.every(({ service }) => service === "echo"));
    assert.ok(spans.every(({ name }) => name === "connectum.bench.v1.EchoService/Echo"));
    const clients = new Set(spans.filter(({ kind }) => kind === 3).map(({ spanId }) => spanId));
    const children = spans.filter(({ kind }) => kind === 2);
    assert.ok(children.every(({ parentSpanId }) => clients.has(parentSpanId)));
    interface Record_ {
      readonly body: string;
      readonly severity: string;
      readonly spanId: string;
      readonly attributes: Record<string, unknown>;
    }
    const records = await collector.get<Record_[]>("/logs");
    const servers = new Set(children.map(({ spanId }) => spanId));
    for (const { body, severity, spanId, attributes } of records) {
      assert.equal(body, "echoed");
      assert.equal(severity, "INFO");
      assert.ok(servers.has(spanId) || protocol === "http/json");
      assert.equal(
        attributes["exception.message"],
        attributes.text === "t0" ? "logged" : undefined,
      );
      assert.match(String(attributes.text), /^t\d+$/);
    }
  });
}

for (const protocol of ["http/protobuf", "grpc"] as const) {
  test(`killing the collector loses no call and floods no log, ${protocol}`, {
    skip,
  }, async (t) => {
    const collector = await startCollector(t);
    const lines: string[] = [];
    const at = (level: string) => (_: object, message: string) => {
      lines.push(`${level} ${message.replace(/ cannot.*/, " cannot be exported")}`);
    };
    const logger = { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: protocol === "grpc" ? collector.grpc : collector.http,
      OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
      OTEL_EXPORTER_OTLP_TIMEOUT: "1000",
      OTEL_BSP_SCHEDULE_DELAY: "20",
      OTEL_BSP_MAX_EXPORT_BATCH_SIZE: "20",
      OTEL_BLRP_SCHEDULE_DELAY: "20",
      OTEL_METRIC_EXPORT_INTERVAL: "50",
    };
    const prints: string[] = [];
    for (const stream of [process.stdout, process.stderr]) {
      t.mock.method(stream, "write", (text: string) => prints.push(String(text)) > 0);
    }
    await withEnv(env, async () => {
      await initProvider({ serviceName: "echo", logger });
      assert.equal(await callEcho(t, 20), 20);
      await getProvider()?.forceFlush();
      await collector.kill();
      for (let round = 0; round < 3; round++) {
        assert.equal(await callEcho(t, 40), 40);
        await getProvider()
          ?.forceFlush()
          .catch(() => {});
      }
      await shutdownProvider();
    });
    const failures = lines.filter((line) => line.startsWith("warn"));
    const expected = ["spans", "metrics", "log records"].map(
      (what) => `warn ${what} cannot be exported`,
    );
    assert.deepEqual([...new Set(failures)].sort(), expected.sort());
    // A slow machine may see one fail and work again before the collector is killed.
    assert.ok(lines.length <= 12, lines.join("\n"));
    assert.deepEqual(
      prints.filter((text) => /OTLP|ECONNREFUSED|export/i.test(text)),
      [],
    );
  });
}
