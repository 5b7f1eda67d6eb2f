import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import * as http2 from "node:http2";
import type { AddressInfo } from "node:net";
import { createServer as createNetServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { defineService } from "connectum/core";
import { createOtelInterceptor, initProvider, type PrometheusOptions } from "connectum/otel";
import { createTestServer } from "connectum/testing";
import { EchoService } from "../gen/connectum/bench/v1/echo_pb.js";
import { missing } from "../interop/tools.ts";
import { withEnv } from "./with-env.ts";

async function serve(t: TestContext, options: PrometheusOptions) {
  const provider = await initProvider({ serviceName: "echo", exporters: { prometheus: options } });
  const { baseUrl, port } = await createTestServer({
    t,
    services: [defineService(EchoService, { echo: ({ text }) => ({ text }) })],
    interceptors: [createOtelInterceptor()],
    protocols: provider.prometheus ? [provider.prometheus] : [],
  });
  const client = createClient(EchoService, createGrpcTransport({ baseUrl }));
  return { provider, baseUrl, port, call: () => client.echo({ text: "hi" }) };
}

describe("/metrics", () => {
  test("is answered on the server's port, over HTTP/1.1 and HTTP/2", async (t) => {
    await withEnv({}, async () => {
      const { baseUrl, call } = await serve(t, {});
      for (let i = 0; i < 7; i++) await call();
      const response = await fetch(`${baseUrl}/metrics`);
      assert.equal(
        response.headers.get("content-type"),
        "text/plain; version=0.0.4; charset=utf-8",
      );
      const text = await response.text();
      assert.match(
        text,
        /^rpc_server_call_duration_count\{.*rpc_method="Echo".*transport="http".*\} 7$/m,
      );
      assert.match(text, /^rpc_server_active_requests\{.*\} 0$/m);
      const head = await fetch(`${baseUrl}/metrics`, { method: "HEAD" });
      assert.equal(await head.text(), "");
      assert.equal((await fetch(`${baseUrl}/metrics`, { method: "POST" })).status, 404);
      assert.equal((await fetch(`${baseUrl}/other`)).status, 404);
      const session = http2.connect(baseUrl);
      const stream = session.request({ ":path": "/metrics" });
      let body = "";
      for await (const chunk of stream.setEncoding("utf8")) body += chunk;
      session.close();
      assert.match(body, /rpc_server_call_duration_count/);
    });
  });

  test("has a port of its own when asked, by options or OTEL_METRICS_EXPORTER", async (t) => {
    await withEnv({}, async () => {
      const { provider, baseUrl, call } = await serve(t, {
        path: "/m",
        port: 0,
        host: "127.0.0.1",
      });
      await call();
      assert.equal(provider.prometheus, undefined);
      const own = `http://127.0.0.1:${provider.prometheusPort}`;
      assert.match(await (await fetch(`${own}/m`)).text(), /rpc_server_call_duration_count/);
      assert.equal((await fetch(`${own}/metrics`)).status, 404);
      assert.equal((await fetch(`${baseUrl}/m`)).status, 404);
    });
    const env = {
      OTEL_METRICS_EXPORTER: "prometheus",
      OTEL_EXPORTER_PROMETHEUS_HOST: "127.0.0.1",
      OTEL_EXPORTER_PROMETHEUS_PORT: "0",
    };
    await withEnv(env, async () => {
      const { prometheusPort } = await initProvider();
      assert.equal((await fetch(`http://127.0.0.1:${prometheusPort}/metrics`)).status, 200);
    });
  });

  test("a port in use is named", async (t) => {
    const blocker = createNetServer().listen(0, "127.0.0.1");
    await once(blocker, "listening");
    t.after(() => blocker.close());
    const { port } = blocker.address() as AddressInfo;
    await withEnv({}, () =>
      assert.rejects(
        initProvider({ exporters: { prometheus: { port, host: "127.0.0.1" } } }),
        new RegExp(`cannot listen for Prometheus on 127.0.0.1:${port}`),
      ),
    );
  });

  test("promtool accepts it", { skip: missing("promtool") }, async (t) => {
    await withEnv({}, async () => {
      const { baseUrl, call } = await serve(t, {});
      await call();
      const input = await (await fetch(`${baseUrl}/metrics`)).text();
      const { status, stderr, stdout } = spawnSync("promtool", ["check", "metrics"], { input });
      assert.equal(`${stdout}${stderr}`, "");
      assert.equal(status, 0);
    });
  });

  test("Prometheus scrapes it and knows the call rate", {
    skip: missing("prometheus"),
  }, async (t) => {
    const home = mkdtempSync(join(tmpdir(), "connectum-prometheus-"));
    t.after(() => rmSync(home, { recursive: true, force: true }));
    await withEnv({}, async () => {
      const { port, call } = await serve(t, {});
      const own = await freePort();
      writeFileSync(
        join(home, "prometheus.yml"),
        `global: { scrape_interval: 1s }
scrape_configs:
  - job_name: echo
    static_configs: [{ targets: ["127.0.0.1:${port}"] }]
`,
      );
      const prometheus = spawn(
        "prometheus",
        [
          `--config.file=${join(home, "prometheus.yml")}`,
          `--storage.tsdb.path=${join(home, "data")}`,
          `--web.listen-address=127.0.0.1:${own}`,
          "--log.level=error",
        ],
        { stdio: "ignore" },
      );
      const exited = once(prometheus, "exit");
      t.after(async () => {
        prometheus.kill("SIGKILL");
        await exited;
      });
      const query = "sum(rate(rpc_server_call_duration_count[1m]))";
      for (;;) {
        await call();
        await delay(200);
        const rate = await ask(own, query).catch(() => undefined);
        if (rate !== undefined && rate > 0) {
          assert.ok(rate < 50, `${rate} calls/s`);
          return;
        }
        assert.equal(prometheus.exitCode, null, "Prometheus has stopped");
      }
    });
  });
});

async function ask(port: number, query: string): Promise<number | undefined> {
  const url = `http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(query)}`;
  const { data } = (await (await fetch(url)).json()) as {
    data: { result: Array<{ value: [number, string] }> };
  };
  const value = data.result[0]?.value[1];
  return value === undefined ? undefined : Number(value);
}

async function freePort(): Promise<number> {
  const server = createNetServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
