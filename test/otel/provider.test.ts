import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { describe, test } from "node:test";
import { context, metrics, propagation, trace } from "@opentelemetry/api";
import { AggregationTemporality, InMemoryMetricExporter } from "@opentelemetry/sdk-metrics";
import { InMemorySpanExporter, type ReadableSpan } from "@opentelemetry/sdk-trace-node";
import { ConnectumError, createServer } from "connectum/core";
import {
  createOtelInterceptor,
  getMeter,
  getProvider,
  getTracer,
  initProvider,
  otelShutdownHook,
  type ProviderOptions,
  shutdownProvider,
} from "connectum/otel";
import { withResolvers } from "../support/with-resolvers.ts";
import { withEnv } from "./with-env.ts";

interface Line {
  readonly level: string;
  readonly message: string;
}

function listening() {
  const lines: Line[] = [];
  const at = (level: string) => (_: object, message: string) => void lines.push({ level, message });
  const logger = { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
  return { lines, logger };
}

/** Keeps its spans when it is shut down. */
class KeepingExporter extends InMemorySpanExporter {
  readonly batches: ReadableSpan[][] = [];

  override export(...[spans, callback]: Parameters<InMemorySpanExporter["export"]>): void {
    this.batches.push(spans);
    super.export(spans, callback);
  }

  get names(): string[] {
    return this.batches.flat().map(({ name }) => name);
  }
}

async function receiver(t: { after(fn: () => void): void }) {
  const requests: Array<{ url: string; headers: http.IncomingHttpHeaders; bytes: number }> = [];
  let got = withResolvers();
  const server = http.createServer((request, response) => {
    let bytes = 0;
    request.on("data", (chunk: Buffer) => {
      bytes += chunk.byteLength;
    });
    request.on("end", () => {
      requests.push({ url: request.url ?? "", headers: request.headers, bytes });
      response.end();
      got.resolve();
      got = withResolvers();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { requests, url: `http://127.0.0.1:${port}`, next: () => got.promise };
}

describe("initProvider with nothing set", () => {
  test("registers and exports nothing and says so in one line", async () => {
    const { lines, logger } = listening();
    await withEnv({}, async () => {
      const provider = await initProvider({ serviceName: "quiet", logger });
      assert.equal(provider.tracerProvider, undefined);
      assert.equal(provider.meterProvider, undefined);
      assert.equal(getTracer().startSpan("x").isRecording(), false);
    });
    assert.equal(lines.length, 1);
    assert.match(lines[0]?.message ?? "", /exports nothing: set OTEL_EXPORTER_OTLP_ENDPOINT/);
  });

  test("without a logger not a byte is printed, neither by interceptors", async () => {
    const script = `
      import { createServer, defineService } from "connectum/core";
      import * as otel from "connectum/otel";
      import { EchoService } from ${JSON.stringify(resolve("test/gen/connectum/bench/v1/echo_pb.js"))};
      await otel.initProvider({ serviceName: "quiet" });
      const server = createServer({
        services: [defineService(EchoService, { echo: ({ text }) => ({ text }) })],
        interceptors: [otel.createOtelInterceptor()],
        outgoingInterceptors: [otel.createOtelClientInterceptor()],
      });
      await server.client(EchoService).echo({ text: "hi" });
      otel.getLogger("x").info("nobody hears");
      const { trace, metrics } = await import("@opentelemetry/api");
      if (trace.getTracer("x").startSpan("y").isRecording()) throw new Error("registered");
    `;
    const env = Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !name.startsWith("OTEL_")),
    );
    const output = await new Promise((done, reject) => {
      const args = ["--input-type=module", "--eval", script];
      execFile(process.execPath, args, { env }, (error, stdout, stderr) =>
        error ? reject(error) : done(stdout + stderr),
      );
    });
    assert.equal(output, "");
  });
});

describe("OTEL_* variables", () => {
  async function spansWith(
    env: Record<string, string>,
    use: () => Promise<void> | void,
    options: ProviderOptions = {},
  ): Promise<KeepingExporter> {
    const exporter = new KeepingExporter();
    await withEnv(env, async () => {
      await initProvider({ serviceName: "s", exporters: { traces: exporter }, ...options });
      await use();
    });
    return exporter;
  }
  const makeSpans = (count: number) => () => {
    for (let i = 0; i < count; i++) getTracer().startSpan(`span ${i}`).end();
  };

  test("OTEL_SDK_DISABLED switches everything off", async () => {
    const { lines, logger } = listening();
    const exporter = await spansWith({ OTEL_SDK_DISABLED: "true" }, makeSpans(3), { logger });
    assert.deepEqual(exporter.names, []);
    assert.match(lines[0]?.message ?? "", /OTEL_SDK_DISABLED/);
  });

  test("OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES describe the service, options win", async () => {
    const resourceOf = (exporter: KeepingExporter) => exporter.batches[0]?.[0]?.resource.attributes;
    const env = {
      OTEL_SERVICE_NAME: "from-env",
      OTEL_RESOURCE_ATTRIBUTES: "team=pay%20ments, region = eu",
    };
    const fromEnv = resourceOf(await spansWith(env, makeSpans(1), { serviceName: undefined }));
    assert.equal(fromEnv?.["service.name"], "from-env");
    assert.equal(fromEnv?.team, "pay ments");
    assert.equal(fromEnv?.region, "eu");
    const options = { serviceName: "code", serviceVersion: "2", resourceAttributes: { team: "x" } };
    const fromCode = resourceOf(await spansWith(env, makeSpans(1), options));
    assert.equal(fromCode?.["service.name"], "code");
    assert.equal(fromCode?.["service.version"], "2");
    assert.equal(fromCode?.team, "x");
    const unknown = resourceOf(await spansWith({}, makeSpans(1), { serviceName: undefined }));
    assert.match(String(unknown?.["service.name"]), /^unknown_service/);
  });

  for (const [sampler, arg, least, most] of [
    ["always_on", "", 200, 200],
    ["always_off", "", 0, 0],
    ["traceidratio", "0.5", 40, 160],
    ["parentbased_always_on", "", 200, 200],
    ["parentbased_always_off", "", 0, 0],
    ["parentbased_traceidratio", "0", 0, 0],
    ["parentbased_traceidratio", "", 200, 200],
    ["", "", 200, 200],
  ] as const) {
    test(`OTEL_TRACES_SAMPLER=${sampler} ${arg}`, async () => {
      const env = { OTEL_TRACES_SAMPLER: sampler, OTEL_TRACES_SAMPLER_ARG: arg };
      const { names } = await spansWith(env, makeSpans(200));
      assert.ok(names.length >= least && names.length <= most, `${names.length} spans`);
    });
  }

  test("a parent-based sampler follows the parent", async () => {
    const env = { OTEL_TRACES_SAMPLER: "parentbased_always_off" };
    const parent = { traceId: "1".repeat(32), spanId: "2".repeat(16), traceFlags: 1 };
    const { names } = await spansWith(env, () => {
      getTracer().startSpan("child", {}, trace.setSpanContext(context.active(), parent)).end();
    });
    assert.deepEqual(names, ["child"]);
  });

  test("OTEL_BSP_* sizes batches and times them", async () => {
    const env = {
      OTEL_BSP_MAX_EXPORT_BATCH_SIZE: "10",
      OTEL_BSP_MAX_QUEUE_SIZE: "25",
      OTEL_BSP_SCHEDULE_DELAY: "60000",
      OTEL_BSP_EXPORT_TIMEOUT: "1000",
    };
    const exporter = await spansWith(env, makeSpans(40));
    assert.ok(exporter.batches.every((batch) => batch.length <= 10));
    assert.ok(
      exporter.names.length >= 25 && exporter.names.length < 40,
      `${exporter.names.length}`,
    );
    const soon = withResolvers();
    const timed = new KeepingExporter();
    timed.export = (_, callback) => {
      callback({ code: 0 });
      soon.resolve();
    };
    const useOne = () => {
      makeSpans(1)();
      return soon.promise;
    };
    await spansWith({ OTEL_BSP_SCHEDULE_DELAY: "10" }, useOne, { exporters: { traces: timed } });
  });

  test("OTEL_METRIC_EXPORT_INTERVAL pushes metrics", async () => {
    const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
    const pushed = withResolvers();
    const send = exporter.export.bind(exporter);
    exporter.export = (...args) => {
      send(...args);
      pushed.resolve();
    };
    const env = { OTEL_METRIC_EXPORT_INTERVAL: "20", OTEL_METRIC_EXPORT_TIMEOUT: "30000" };
    await withEnv(env, async () => {
      await initProvider({ serviceName: "s", exporters: { metrics: exporter } });
      getMeter().createCounter("things").add(3);
      await pushed.promise;
    });
  });

  test("OTEL_PROPAGATORS=none writes no headers, the default W3C ones", async () => {
    const headersWith = async (env: Record<string, string>) => {
      const carrier = {};
      await spansWith(env, () => {
        const span = getTracer().startSpan("x");
        propagation.inject(trace.setSpan(context.active(), span), carrier);
      });
      return Object.keys(carrier);
    };
    assert.deepEqual(await headersWith({}), ["traceparent"]);
    assert.deepEqual(await headersWith({ OTEL_PROPAGATORS: "baggage,tracecontext" }), [
      "traceparent",
    ]);
    assert.deepEqual(await headersWith({ OTEL_PROPAGATORS: "none" }), []);
  });

  for (const [protocol, type] of [
    ["http/protobuf", "application/x-protobuf"],
    ["http/json", "application/json"],
  ] as const) {
    test(`endpoint, headers, compression and OTEL_EXPORTER_OTLP_PROTOCOL=${protocol}`, async (t) => {
      const { requests, url } = await receiver(t);
      const env = {
        OTEL_EXPORTER_OTLP_ENDPOINT: url,
        OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
        OTEL_EXPORTER_OTLP_HEADERS: "x-key=secret%20key,x-tenant=acme",
        OTEL_EXPORTER_OTLP_COMPRESSION: "gzip",
      };
      await withEnv(env, async () => {
        await initProvider({ serviceName: "s" });
        getTracer().startSpan("x").end();
        getMeter().createCounter("things").add(1);
        await getProvider()?.forceFlush();
      });
      const paths = new Set(requests.map((request) => request.url));
      assert.deepEqual([...paths].sort(), ["/v1/metrics", "/v1/traces"]);
      for (const { headers } of requests) {
        assert.equal(headers["content-type"], type);
        assert.equal(headers["content-encoding"], "gzip");
        assert.equal(headers["x-key"], "secret key");
        assert.equal(headers["x-tenant"], "acme");
      }
    });
  }

  test("each signal has its own endpoint, protocol, headers and exporter", async (t) => {
    const traces = await receiver(t);
    const everything = await receiver(t);
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: everything.url,
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${traces.url}/own`,
      OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: "http/json",
      OTEL_EXPORTER_OTLP_TRACES_HEADERS: "x-own=1",
      OTEL_METRICS_EXPORTER: "none",
      OTEL_TRACES_EXPORTER: "otlp",
    };
    await withEnv(env, async () => {
      await initProvider({ serviceName: "s" });
      getTracer().startSpan("x").end();
      getMeter().createCounter("things").add(1);
    });
    assert.deepEqual(everything.requests, []);
    const [request] = traces.requests;
    assert.equal(request?.url, "/own");
    assert.equal(request?.headers["content-type"], "application/json");
    assert.equal(request?.headers["x-own"], "1");
  });

  test("traces, metrics and logs: false keeps a signal off whatever the environment says", async () => {
    const env = {
      OTEL_TRACES_EXPORTER: "console",
      OTEL_METRICS_EXPORTER: "console",
      OTEL_LOGS_EXPORTER: "console",
    };
    for (const off of ["traces", "metrics", "logs"] as const) {
      await withEnv(env, async () => {
        const { tracerProvider, meterProvider, loggerProvider } = await initProvider({
          serviceName: "s",
          [off]: false,
        });
        const providers = {
          traces: tracerProvider,
          metrics: meterProvider,
          logs: loggerProvider,
        };
        for (const [signal, provider] of Object.entries(providers)) {
          assert.equal(provider === undefined, signal === off, signal);
        }
      });
    }
  });

  test("traces: true gives trace ids without an exporter", async () => {
    await withEnv({}, async () => {
      await initProvider({ serviceName: "s", traces: true });
      assert.match(getTracer().startSpan("x").spanContext().traceId, /[1-9a-f]/);
    });
  });

  test("OTEL_SEMCONV_STABILITY_OPT_IN chooses the names", async () => {
    const keysWith = async (value: string) => {
      const { server, exporter } = await withEnv(
        { OTEL_SEMCONV_STABILITY_OPT_IN: value },
        async () => {
          const exporter = new KeepingExporter();
          const { EchoService } = await import("../gen/connectum/bench/v1/echo_pb.js");
          const server = createServer({
            services: [(router) => void router.service(EchoService, { echo: () => ({}) })],
            interceptors: [createOtelInterceptor()],
          });
          await initProvider({ serviceName: "s", exporters: { traces: exporter } });
          await server.localClient(EchoService).echo({});
          return { server, exporter };
        },
      );
      assert.equal(server.isRunning, false);
      return Object.keys(exporter.batches[0]?.[0]?.attributes ?? {});
    };
    assert.ok((await keysWith("")).includes("rpc.system"));
    assert.ok((await keysWith("http")).includes("rpc.system"));
    assert.ok(!(await keysWith("http, rpc")).includes("rpc.system"));
    const dup = await keysWith("rpc/dup,rpc");
    assert.ok(dup.includes("rpc.system") && dup.includes("rpc.system.name"));
  });

  const bad: Array<[string, string, RegExp]> = [
    ["OTEL_SDK_DISABLED", "maybe", /must be true or false, got "maybe"/],
    [
      "OTEL_TRACES_EXPORTER",
      "zipkin",
      /must be a list of otlp, otlp\/http, otlp\/grpc, console, none, got "zipkin"/,
    ],
    ["OTEL_METRICS_EXPORTER", "otlp,jaeger", /console, none, prometheus, got/],
    ["OTEL_LOGS_EXPORTER", "prometheus", /must be a list of/],
    ["OTEL_EXPORTER_OTLP_PROTOCOL", "thrift", /must be one of grpc, http\/protobuf, http\/json/],
    ["OTEL_EXPORTER_OTLP_LOGS_PROTOCOL", "x", /must be one of grpc/],
    [
      "OTEL_EXPORTER_OTLP_ENDPOINT",
      "collector:4317",
      /must be a URL like http:\/\/collector:4318, got "collector:4317"/,
    ],
    ["OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "ftp://x", /must be a URL/],
    ["OTEL_EXPORTER_OTLP_HEADERS", "no-value", /must be a list like key=value/],
    ["OTEL_EXPORTER_OTLP_TRACES_HEADERS", "a=%zz", /percent sign/],
    ["OTEL_EXPORTER_OTLP_TIMEOUT", "10s", /must be an integer from 1/],
    ["OTEL_EXPORTER_OTLP_COMPRESSION", "br", /must be one of gzip, none/],
    ["OTEL_TRACES_SAMPLER", "sometimes", /must be one of always_on/],
    ["OTEL_BSP_MAX_QUEUE_SIZE", "0", /must be an integer from 1/],
    ["OTEL_BSP_SCHEDULE_DELAY", "-5", /must be an integer/],
    ["OTEL_BSP_EXPORT_TIMEOUT", "1.5", /must be an integer/],
    [
      "OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
      "4096",
      /must not be above OTEL_BSP_MAX_QUEUE_SIZE, which is 2048/,
    ],
    ["OTEL_BLRP_MAX_QUEUE_SIZE", "x", /must be an integer/],
    ["OTEL_METRIC_EXPORT_INTERVAL", "0", /must be an integer from 1/],
    ["OTEL_METRIC_EXPORT_TIMEOUT", "never", /must be an integer/],
    ["OTEL_PROPAGATORS", "b3", /must be tracecontext,baggage or none/],
    ["OTEL_RESOURCE_ATTRIBUTES", "team", /must be a list like key=value/],
    ["OTEL_EXPORTER_PROMETHEUS_PORT", "70000", /must be an integer from 0 to 65535/],
  ];
  for (const [name, value, rule] of bad) {
    test(`${name}=${value} is refused by name, rule and value`, async () => {
      await withEnv({ [name]: value }, () =>
        assert.rejects(initProvider({ serviceName: "s" }), (error) => {
          assert.ok(error instanceof ConnectumError);
          assert.equal(error.code, "INVALID_OPTION");
          assert.ok(error.message.startsWith(`${name} `), error.message);
          assert.match(error.message, rule);
          return true;
        }),
      );
    });
  }

  test("OTEL_TRACES_SAMPLER_ARG outside 0..1 is refused", async () => {
    const env = { OTEL_TRACES_SAMPLER: "traceidratio", OTEL_TRACES_SAMPLER_ARG: "1.5" };
    await withEnv(env, () =>
      assert.rejects(
        initProvider(),
        /OTEL_TRACES_SAMPLER_ARG must be a number from 0 to 1, got "1.5"/,
      ),
    );
  });

  test("options that cannot work are refused", async () => {
    await withEnv({}, async () => {
      await assert.rejects(
        initProvider({ servicename: "x" } as never),
        /did you mean "serviceName"/,
      );
      await assert.rejects(
        initProvider({ exporters: { traces: "otlp" as never } }),
        /exporters\.traces must be an exporter or one of otlp\/http/,
      );
      const bad: ReadonlyArray<[object, RegExp]> = [
        [{ serviceName: "" }, /serviceName must be a string that is not empty/],
        [{ serviceVersion: 2 }, /serviceVersion must be a string that is not empty, got 2/],
        [{ resourceAttributes: "a=b" }, /resourceAttributes must be an object, got "a=b"/],
        [{ logs: "no" }, /logs must be true or false, got "no"/],
        [{ logger: console.log }, /logger must be a Logger with debug\(\)/],
        [
          { exporters: { traces: {} } },
          /exporters.traces must be an exporter with export\(\) and shutdown\(\), got an object/,
        ],
        [
          { exporters: { prometheus: 9464 } },
          /exporters.prometheus must be true or false, got 9464/,
        ],
        [{ exporters: { prometheus: { port: 0, host: 1 } } }, /prometheus.host must be a string/],
      ];
      for (const [options, message] of bad) {
        await assert.rejects(initProvider(options), { code: "INVALID_OPTION", message });
      }
      assert.throws(
        () => otelShutdownHook(createServer({ services: [] }), { before: [] } as never),
        {
          code: "INVALID_OPTION",
          message: /otelShutdownHook\(\) has no option "before"/,
        },
      );
      await assert.rejects(
        initProvider({ exporters: { prometheus: { path: "metrics" } } }),
        /path must begin with "\/"/,
      );
    });
  });
});

describe("the provider's life", () => {
  test("a second initProvider is refused until the first is shut down", async () => {
    await withEnv({}, async () => {
      await initProvider({ serviceName: "s", traces: true });
      await assert.rejects(initProvider(), { code: "INVALID_STATE" });
      await Promise.all([shutdownProvider(), shutdownProvider()]);
      await shutdownProvider();
      assert.equal(getProvider(), undefined);
      await initProvider({ serviceName: "s", traces: true });
      assert.ok(getProvider()?.tracerProvider);
    });
  });

  test("the shutdown hook of a server sends what is waiting, after the hooks it is told of", async () => {
    const exporter = new KeepingExporter();
    await withEnv({}, async () => {
      await initProvider({ serviceName: "s", exporters: { traces: exporter } });
      const server = createServer({ services: [], host: "127.0.0.1", port: 0 });
      server.onShutdown("database", async () => {
        await null;
        getTracer().startSpan("closing the database").end();
      });
      otelShutdownHook(server, { after: ["database"] });
      await server.start();
      getTracer().startSpan("before").end();
      await server.stop();
      assert.deepEqual(exporter.names, ["before", "closing the database"]);
      assert.equal(getProvider(), undefined);
    });
  });

  test("nothing of an SDK stays registered after the shutdown", async () => {
    await withEnv({}, async () => {
      await initProvider({ serviceName: "s", traces: true, metrics: true });
      await shutdownProvider();
      assert.equal(getTracer().startSpan("x").isRecording(), false);
      assert.equal(metrics.getMeter("x").constructor.name, "NoopMeter");
    });
  });
});

test("without the optional packages everything else works, and each says what to install", async (t) => {
  const home = mkdtempSync(join(tmpdir(), "connectum-otel-"));
  t.after(() => rmSync(home, { recursive: true, force: true }));
  const modules = join(home, "node_modules");
  const { dependencies, peerDependencies, peerDependenciesMeta } = JSON.parse(
    readFileSync("package.json", "utf8"),
  );
  const needed = Object.keys({ ...dependencies, ...peerDependencies }).filter(
    (name) => !peerDependenciesMeta[name]?.optional,
  );
  for (const name of needed) {
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(resolve("node_modules", name), join(modules, name));
  }
  cpSync("dist", join(modules, "connectum/dist"), { recursive: true });
  cpSync("package.json", join(modules, "connectum/package.json"));
  const attempts = [
    [{ traces: "otlp/http" }, "@opentelemetry/exporter-trace-otlp-proto"],
    [{ traces: "otlp/json" }, "@opentelemetry/exporter-trace-otlp-http"],
    [{ traces: "otlp/grpc" }, "@opentelemetry/exporter-trace-otlp-grpc"],
    [{ metrics: "otlp/http" }, "@opentelemetry/exporter-metrics-otlp-proto"],
    [{ metrics: "otlp/json" }, "@opentelemetry/exporter-metrics-otlp-http"],
    [{ metrics: "otlp/grpc" }, "@opentelemetry/exporter-metrics-otlp-grpc"],
    [{ logs: "otlp/http" }, "@opentelemetry/exporter-logs-otlp-proto"],
    [{ logs: "otlp/json" }, "@opentelemetry/exporter-logs-otlp-http"],
    [{ logs: "otlp/grpc" }, "@opentelemetry/exporter-logs-otlp-grpc"],
    [{ logs: "console" }, "@opentelemetry/sdk-logs"],
    [{ prometheus: true }, "@opentelemetry/exporter-prometheus"],
  ] as const;
  writeFileSync(
    join(home, "app.mjs"),
    `import { initProvider } from "connectum/otel";
     const answers = [];
     for (const [exporters] of ${JSON.stringify(attempts)}) {
       answers.push(await initProvider({ serviceName: "s", exporters }).then(String, (error) => [error.code, error.message]));
     }
     await initProvider({ serviceName: "s", exporters: { traces: "console" } });
     console.log(JSON.stringify(answers));`,
  );
  const stdout = await new Promise<string>((done, reject) => {
    execFile(process.execPath, [join(home, "app.mjs")], (error, out) =>
      error ? reject(error) : done(out),
    );
  });
  const answers = JSON.parse(stdout) as Array<[string, string]>;
  for (const [index, [, name]] of attempts.entries()) {
    const [code, message] = answers[index] ?? [];
    assert.equal(code, "MISSING_PACKAGE");
    assert.match(
      message ?? "",
      new RegExp(`needs the package ${name}, .*run: npm install ${name}$`),
    );
  }
});

test("the version of the instrumentation is the package's", async () => {
  const exporter = new KeepingExporter();
  await withEnv({}, async () => {
    await initProvider({ serviceName: "s", exporters: { traces: exporter } });
    const { traced } = await import("connectum/otel");
    traced(() => {})();
  });
  const { version } = JSON.parse(readFileSync("package.json", "utf8"));
  assert.equal(exporter.batches[0]?.[0]?.instrumentationScope.version, version);
});
