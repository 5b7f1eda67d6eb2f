import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { resolve } from "node:path";
import { Writable } from "node:stream";
import { describe, test } from "node:test";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { trace } from "@opentelemetry/api";
import { InMemoryLogRecordExporter } from "@opentelemetry/sdk-logs";
import { NodeTracerProvider } from "@opentelemetry/sdk-trace-node";
import { createLocalTransport, defineService } from "connectum/core";
import { parseEnvConfig } from "connectum/core/config";
import {
  createOtelInterceptor,
  getLogger,
  getProvider,
  getTracer,
  initProvider,
  loggerFromEnv,
  traceLogMixin,
} from "connectum/otel";
import { createTestServer } from "connectum/testing";
import { pino } from "pino";
import { EchoService } from "../gen/connectum/bench/v1/echo_pb.js";
import { Collected } from "./collected.ts";
import { withEnv } from "./with-env.ts";

describe("traceLogMixin", () => {
  test("puts the ids of the call into every pino line, unary and streams, to the end", async (t) => {
    new NodeTracerProvider().register();
    t.after(() => trace.disable());
    const lines: Array<Record<string, string>> = [];
    const sink = new Writable({
      write(chunk, _, done) {
        lines.push(JSON.parse(String(chunk)));
        done();
      },
    });
    const log = pino({ mixin: traceLogMixin() }, sink);
    const collected = new Collected();
    const { server, baseUrl } = await createTestServer({
      t,
      services: [
        defineService(EchoService, {
          async echo() {
            await null;
            log.info("echo");
            return {};
          },
          async *repeat() {
            log.info("repeat 1");
            yield {};
            await null;
            log.info("repeat 2");
            yield {};
            log.info("repeat 3");
          },
          async *converse(requests) {
            try {
              for await (const _ of requests) {
                log.info("converse");
                yield {};
              }
            } finally {
              log.info("converse ended");
            }
          },
        }),
      ],
      interceptors: [createOtelInterceptor(collected.providers)],
    });
    log.info("outside");
    async function* requests() {
      yield {};
      yield {};
    }
    for (const transport of [createGrpcTransport({ baseUrl }), createLocalTransport(server)]) {
      lines.length = 0;
      collected.spans.length = 0;
      const client = createClient(EchoService, transport);
      await client.echo({});
      for await (const _ of client.repeat({}));
      for await (const _ of client.converse(requests()));
      const spans = await collected.ended(3);
      const expected = [
        ...Array(1).fill("Echo"),
        ...Array(3).fill("Repeat"),
        ...Array(3).fill("Converse"),
      ].map((name) => {
        const span = spans.find((item) => item.name.endsWith(`/${name}`));
        const { traceId, spanId } = span?.spanContext() ?? {};
        return { trace_id: traceId, span_id: spanId, trace_flags: "01" };
      });
      assert.deepEqual(
        lines.map(({ trace_id, span_id, trace_flags }) => ({ trace_id, span_id, trace_flags })),
        expected,
      );
    }
  });

  test("adds nothing where no span is active", () => {
    assert.deepEqual(traceLogMixin()(), {});
  });
});

describe("getLogger", () => {
  test("makes log records with severity, attributes and the active span", async () => {
    const exporter = new InMemoryLogRecordExporter();
    await withEnv({}, async () => {
      await initProvider({ serviceName: "s", traces: true, exporters: { logs: exporter } });
      const log = getLogger("orders", { defaultAttributes: { team: "a", region: "eu" } });
      const span = getTracer().startActiveSpan("work", (active) => {
        log.debug("plain");
        log.warn(
          { region: "us", count: 3, big: 4n, list: [1], nothing: undefined },
          "with details",
        );
        log.error({ err: new RangeError("too far") }, "failed");
        return active;
      });
      const circular: Record<string, unknown> = {};
      circular.self = circular;
      log.info({ circular }, "cannot be JSON");
      await getProvider()?.forceFlush();
      const records = exporter.getFinishedLogRecords();
      assert.deepEqual(
        records.map(({ severityText, severityNumber, body }) => [
          severityText,
          severityNumber,
          body,
        ]),
        [
          ["DEBUG", 5, "plain"],
          ["WARN", 13, "with details"],
          ["ERROR", 17, "failed"],
          ["INFO", 9, "cannot be JSON"],
        ],
      );
      assert.deepEqual(records[0]?.attributes, { team: "a", region: "eu" });
      assert.deepEqual(records[1]?.attributes, {
        team: "a",
        region: "us",
        count: 3,
        big: '"4"',
        list: "[1]",
      });
      assert.equal(records[2]?.attributes["exception.type"], "RangeError");
      assert.equal(records[0]?.spanContext?.spanId, span.spanContext().spanId);
      assert.equal(records[3]?.spanContext, undefined);
      assert.equal(records[0]?.instrumentationScope.name, "orders");
    });
  });
});

describe("loggerFromEnv", () => {
  test("refuses what parseEnvConfig() would not give, and getLogger() what is no name", () => {
    const config = { LOG_LEVEL: "info", LOG_FORMAT: "json", LOG_BACKEND: "console" } as const;
    for (const [wrong, message] of [
      [{ LOG_LEVEL: "trace" }, /LOG_LEVEL must be one of "debug", .*, got "trace"/],
      [{ LOG_FORMAT: "xml" }, /LOG_FORMAT must be one of "json", "pretty", got "xml"/],
      [{ LOG_BACKEND: undefined }, /LOG_BACKEND must be one of .*, got undefined/],
    ] as const) {
      assert.throws(() => loggerFromEnv({ ...config, ...(wrong as object) }), {
        code: "INVALID_OPTION",
        message,
      });
    }
    assert.throws(() => getLogger(""), /getLogger\(\) name must be a string/);
    assert.throws(() => getLogger("a", { attributes: {} } as never), /has no option "attributes"/);
    assert.throws(
      () => getLogger("a", { defaultAttributes: 1 as never }),
      /must be an object, got 1/,
    );
  });

  /** What a process prints that takes its logger from this environment. */
  async function output(env: Record<string, string>): Promise<string> {
    const script = `
      import { parseEnvConfig } from "connectum/core/config";
      import { getTracer, initProvider, loggerFromEnv } from "connectum/otel";
      await initProvider({ serviceName: "s", traces: true });
      const log = loggerFromEnv(parseEnvConfig(${JSON.stringify(env)}));
      getTracer().startActiveSpan("x", () => {
        log.debug({}, "at debug");
        log.info({ a: 1 }, "at info");
        log.error({ err: new Error("broken") }, "at error");
      });
    `;
    return new Promise<string>((done, reject) => {
      const args = ["--input-type=module", "--eval", script];
      execFile(process.execPath, args, { cwd: resolve(".") }, (error, stdout) =>
        error ? reject(error) : done(stdout),
      );
    });
  }
  const json = (text: string | undefined) =>
    (text ?? "")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);

  test("without log records every backend prints JSON lines with trace ids, from the level on", async () => {
    const backends = ["console", "pino", "otel"];
    const envs = backends.flatMap(
      (LOG_BACKEND): Array<Record<string, string>> => [
        { LOG_BACKEND },
        { LOG_BACKEND, LOG_LEVEL: "debug" },
        { LOG_BACKEND, LOG_LEVEL: "error" },
      ],
    );
    const texts = await Promise.all(envs.map(output));
    for (const index of backends.keys()) {
      const lines = json(texts[index * 3]);
      assert.deepEqual(
        lines.map(({ msg }) => msg),
        ["at info", "at error"],
      );
      assert.equal(lines[0]?.a, 1);
      assert.match(String(lines[0]?.trace_id), /^[0-9a-f]{32}$/);
      assert.match(JSON.stringify(lines[1]?.err), /broken/);
      assert.equal(json(texts[index * 3 + 1]).length, 3);
      assert.equal(json(texts[index * 3 + 2]).length, 1);
    }
  });

  test("LOG_FORMAT=pretty is for people", async () => {
    for (const LOG_BACKEND of ["console", "pino", "otel"]) {
      const text = await output({ LOG_BACKEND, LOG_FORMAT: "pretty" });
      assert.match(text ?? "", /INFO.*at info/);
      assert.throws(() => json(text));
    }
  });

  test("otel makes records, and no lines, once logs are set up", async () => {
    const exporter = new InMemoryLogRecordExporter();
    await withEnv({}, async () => {
      const log = loggerFromEnv(parseEnvConfig({ LOG_LEVEL: "warn" }));
      await initProvider({ serviceName: "s", exporters: { logs: exporter } });
      log.info({}, "below the level");
      log.warn({ a: 1 }, "kept");
      await getProvider()?.forceFlush();
      assert.deepEqual(
        exporter.getFinishedLogRecords().map(({ body }) => body),
        ["kept"],
      );
    });
  });
});
