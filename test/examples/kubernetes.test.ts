import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import { Health, ServingStatus } from "connectum/healthcheck";
import { GreeterService } from "../../examples/greeter/gen/greeter/v1/greeter_pb.js";
import { buildServer, shutdownFromEnv } from "../../examples/kubernetes/server.ts";

const manifests = "examples/kubernetes/manifests";
const checker = resolve(".tools/bin/cli-k8s-check");
const skip =
  !existsSync(checker) &&
  !process.env.CI &&
  "cli-k8s-check is not built; `npm run tools` builds it";

interface Probe {
  readonly httpGet?: { readonly path: string; readonly port: string };
  readonly grpc?: { readonly port: number; readonly service: string | null };
}

interface Container {
  readonly env: { readonly name: string; readonly value: string }[];
  readonly ports: { readonly name: string; readonly containerPort: number }[];
  readonly startupProbe: Probe;
  readonly readinessProbe: Probe;
  readonly livenessProbe: Probe;
  readonly lifecycle: { readonly preStop: { readonly sleep: { readonly seconds: number } } };
}

/** The objects as k8s.io/api reads them; throws on a field it does not know. */
function readManifests() {
  const files = readdirSync(manifests).map((name) => join(manifests, name));
  const { status, stdout, stderr } = spawnSync(checker, ["-json", ...files], { encoding: "utf8" });
  assert.equal(status, 0, stderr);
  const objects = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  const byKind = new Map(objects.map((object) => [object.kind as string, object]));
  const pod = byKind.get("Deployment").spec.template;
  const container = pod.spec.containers[0] as Container;
  const env = Object.fromEntries(container.env.map(({ name, value }) => [name, value]));
  return { kinds: [...byKind.keys()].sort(), byKind, pod, container, env };
}

describe("the Kubernetes example", { skip, timeout: 60_000 }, () => {
  test("its manifests are objects of k8s.io/api that fit together", () => {
    const { kinds, byKind, pod, container, env } = readManifests();
    assert.deepEqual(kinds, ["Deployment", "PodDisruptionBudget", "Service"]);
    const { labels } = pod.metadata;
    assert.deepEqual(byKind.get("Deployment").spec.selector.matchLabels, labels);
    assert.deepEqual(byKind.get("PodDisruptionBudget").spec.selector.matchLabels, labels);
    const service = byKind.get("Service").spec;
    assert.deepEqual(service.selector, labels);
    assert.equal(service.clusterIP, "None");
    const [port] = container.ports;
    assert.equal(service.ports[0].targetPort, port?.name);
    assert.equal(String(port?.containerPort), env.PORT);
    const { startupProbe, readinessProbe, livenessProbe } = container;
    for (const probe of [startupProbe, livenessProbe])
      assert.equal(probe.httpGet?.port, port?.name);
    assert.equal(readinessProbe.grpc?.port, port?.containerPort);
  });

  test("the grace period has room for all of the stop, and the README says how", () => {
    const { pod, container, env } = readManifests();
    const { timeout = 0, hookTimeoutMs = 0, drainDelayMs = 0 } = shutdownFromEnv(env);
    const { seconds } = container.lifecycle.preStop.sleep;
    const grace = pod.spec.terminationGracePeriodSeconds;
    const needed = seconds + (timeout + hookTimeoutMs) / 1000;
    assert.ok(needed < grace, `${needed} s do not fit into ${grace} s`);
    assert.equal(buildServer({ ...env, PORT: "0" }).state, "created");
    const readme = readFileSync("examples/kubernetes/README.md", "utf8");
    for (const figure of [
      `preStop.sleep.seconds: ${seconds}`,
      `DRAIN_DELAY_MS: ${drainDelayMs}`,
      `GRACEFUL_SHUTDOWN_TIMEOUT_MS: ${timeout}`,
      `HOOK_TIMEOUT_MS: ${hookTimeoutMs}`,
      `terminationGracePeriodSeconds: ${grace}`,
    ]) {
      assert.ok(readme.includes(`\`${figure}\``), figure);
    }
  });

  test("a pod is ready, drains alive and unready, serves meanwhile, and ends by itself", async (t) => {
    const { container, env } = readManifests();
    const pod = await startPod(t, env);
    const passes = kubelet(t, pod.baseUrl);
    const { startupProbe, readinessProbe, livenessProbe } = container;
    for (const probe of [startupProbe, readinessProbe, livenessProbe]) {
      assert.equal(await passes(probe), true);
    }
    const statuses = pod.health.watch({})[Symbol.asyncIterator]();
    assert.equal((await statuses.next()).value?.status, ServingStatus.SERVING);
    const exited = once(pod.child, "exit");
    pod.child.kill("SIGTERM");
    assert.equal((await statuses.next()).value?.status, ServingStatus.NOT_SERVING);
    assert.equal(await passes(readinessProbe), false);
    assert.equal(await passes(livenessProbe), true);
    assert.equal((await pod.greeter.sayHello({ name: "Ada" })).greeting, "Hello, Ada!");
    assert.equal((await statuses.next()).done, true);
    assert.deepEqual(await exited, [0, null]);
  });
});

async function startPod(t: TestContext, env: Record<string, string>) {
  const child = spawn(process.execPath, ["--import", "tsx", "examples/kubernetes/server.ts"], {
    env: { PATH: process.env.PATH, ...env, PORT: "0" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.after(() => child.kill("SIGKILL"));
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  const [, port] = /port (\d+)/.exec(line.toString()) ?? [];
  const baseUrl = `http://127.0.0.1:${port}`;
  const sessionManager = new Http2SessionManager(baseUrl);
  t.after(() => sessionManager.abort());
  const transport = createGrpcTransport({ baseUrl, sessionManager });
  return {
    child,
    baseUrl,
    health: createClient(Health, transport),
    greeter: createClient(GreeterService, transport),
  };
}

/** Probes as the kubelet does: a connection for each, HTTP/1.1 or gRPC, 200 to 399 or SERVING. */
function kubelet(t: TestContext, baseUrl: string) {
  return async ({ httpGet, grpc }: Probe): Promise<boolean> => {
    if (httpGet) {
      const response = await fetch(baseUrl + httpGet.path, { headers: { connection: "close" } });
      await response.arrayBuffer();
      return response.status >= 200 && response.status < 400;
    }
    const sessionManager = new Http2SessionManager(baseUrl);
    t.after(() => sessionManager.abort());
    const health = createClient(Health, createGrpcTransport({ baseUrl, sessionManager }));
    const { status } = await health.check({ service: grpc?.service ?? "" }, { timeoutMs: 1_000 });
    sessionManager.abort();
    return status === ServingStatus.SERVING;
  };
}
