import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, rmSync, symlinkSync } from "node:fs";
import { Agent, request } from "node:http";
import { join } from "node:path";
import { json } from "node:stream/consumers";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import { GreeterService } from "../../examples/greeter/gen/greeter/v1/greeter_pb.js";
import { Health } from "../../src/healthcheck/gen/grpc/health/v1/health_pb.js";
import { MyService } from "../gen/connectum/mission/v1/mission_pb.js";

const NOT_SERVING = 2;
const SERVING = 1;
const health = "/grpc.health.v1.Health";
const baseUrl = "http://127.0.0.1:5000";

test("the quick start runs as it stands, and answers NOT_SERVING everywhere while it drains", {
  timeout: 60_000,
}, async (t) => {
  linkPackage("test/mission/quick-start/node_modules");
  const child = spawn(process.execPath, ["--import", "tsx", "test/mission/quick-start/server.ts"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.after(() => child.kill("SIGKILL"));
  const output = once(child.stdout, "data");
  await untilReady();

  // Kept-alive connections, one for each surface: the port itself closes when the drain begins.
  const surfaces = { check: surface(t), list: surface(t), ready: surface(t), healthz: surface(t) };
  assert.equal((await surfaces.ready("/readyz")).status, 200);
  assert.equal((await surfaces.healthz("/healthz")).status, 200);
  assert.equal((await surfaces.check(`${health}/Check`, "{}")).body.status, "SERVING");
  assert.equal((await surfaces.list(`${health}/List`, "{}")).body.statuses[""].status, "SERVING");

  const sessionManager = new Http2SessionManager(baseUrl);
  t.after(() => sessionManager.abort());
  const transport = createGrpcTransport({ baseUrl, sessionManager });
  const watch = createClient(Health, transport).watch({})[Symbol.asyncIterator]();
  assert.equal((await watch.next()).value?.status, SERVING);
  // A call in flight holds the drain open.
  const call = createClient(GreeterService, transport)
    .sayHelloInLanguages({ name: "Ada" })
    [Symbol.asyncIterator]();
  await call.next();

  child.kill("SIGTERM");
  assert.equal((await watch.next()).value?.status, NOT_SERVING);
  const [checked, listed, ready, healthz] = await Promise.all([
    surfaces.check(`${health}/Check`, "{}"),
    surfaces.list(`${health}/List`, "{}"),
    surfaces.ready("/readyz"),
    surfaces.healthz("/healthz"),
  ]);
  assert.equal(checked.body.status, "NOT_SERVING");
  assert.equal(listed.body.statuses[""].status, "NOT_SERVING");
  assert.equal(ready.status, 503);
  // Alive as before: a liveness probe must not kill a pod that drains.
  assert.equal(healthz.status, 200);

  child.kill("SIGTERM");
  const [text] = (await output) as [Buffer];
  assert.equal(text.toString(), "Server stopped\n");
});

// In this file because it takes the same port.
test("the in-process page's server serves local clients before it starts, and both kinds after", async (t) => {
  const { server, local, addressBefore } = await import("./in-process/coexistence.ts");
  t.after(() => server.stop());
  assert.equal(addressBefore, null);
  const remote = createClient(MyService, createGrpcTransport({ baseUrl }));
  const [first, second] = await Promise.all([remote.doWork({}), local.doWork({})]);
  assert.deepEqual([first.count, second.count].sort(), [2, 3]);
});

/** The quick start has a package.json of its own, so this package must be installed for it. */
function linkPackage(nodeModules: string): void {
  mkdirSync(nodeModules, { recursive: true });
  rmSync(join(nodeModules, "connectum"), { force: true });
  symlinkSync(process.cwd(), join(nodeModules, "connectum"));
}

async function untilReady(): Promise<void> {
  for (;;) {
    const response = await fetch(`${baseUrl}/readyz`).catch(() => undefined);
    await response?.arrayBuffer();
    if (response?.status === 200) return;
    await sleep(20);
  }
}

/** Requests over one kept-alive HTTP/1.1 connection. */
function surface(t: TestContext) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  return (path: string, body?: string) =>
    new Promise<{ status: number | undefined; body: HealthBody }>((resolve, reject) => {
      const method = body === undefined ? "GET" : "POST";
      const headers = { "content-type": "application/json" };
      const outgoing = request(baseUrl + path, { agent, method, headers }, async (response) => {
        resolve({ status: response.statusCode, body: (await json(response)) as HealthBody });
      });
      outgoing.once("error", reject);
      outgoing.end(body);
    });
}

interface HealthBody {
  readonly status: string;
  readonly statuses: Record<string, { status: string }> & { "": { status: string } };
}
