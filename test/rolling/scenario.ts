import { rm } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { waitUntilTaken } from "./answering-replica.ts";
import type { Balancer, FrontPorts } from "./balancers/balancer.ts";
import { startHaproxy, startTcpHaproxy } from "./balancers/haproxy.ts";
import { startNginx } from "./balancers/nginx.ts";
import { writeCertificates } from "./certificates.ts";
import { type ClientKind, ClientProcess } from "./client-process.ts";
import type { LoadReport } from "./clients/load.ts";
import { freePorts } from "./free-ports.ts";
import { ReplicaProcess } from "./replica-process.ts";

export const scenarios = ["nginx", "haproxy", "l4"] as const;
export type Scenario = (typeof scenarios)[number];

export interface ScenarioOptions {
  readonly scenario: Scenario;
  readonly clients: readonly ClientKind[];
  /** The Node binary of the replicas. */
  readonly node: string;
  /** Of each replica. */
  readonly restarts: number;
  /** Longest pause of a client between two calls. */
  readonly maxPauseMs: number;
  readonly isBare: boolean;
  /** The replicas speak TLS; for `l4` only. */
  readonly isTls: boolean;
  /** Told what happens, and when. */
  readonly log: (text: string) => void;
}

export interface ScenarioResult {
  readonly restarts: number;
  readonly reports: ReadonlyMap<ClientKind, LoadReport>;
}

/** Load before the first restart and after the last one. */
const MARGIN_MS = 1_500;

/** Restarts two replicas in turn under load and resolves with what each client saw. */
export async function runScenario(options: ScenarioOptions): Promise<ScenarioResult> {
  const { scenario, clients: kinds, node, restarts, maxPauseMs, isBare, isTls, log } = options;
  const tls = isTls ? await writeCertificates() : undefined;
  const ports = await freePorts(7);
  const replicas = ["a", "b"].map((name) => {
    const [http1Port = 0, spare = 0] = ports.splice(0, 2);
    const http2Port = isBare ? spare : http1Port;
    return new ReplicaProcess({
      name,
      node,
      http1Port,
      http2Port,
      isBare,
      tlsDirectory: tls?.directory,
    });
  });
  const [grpc = 0, http1 = 0, http2 = 0] = ports;
  await Promise.all(replicas.map((replica) => replica.start()));
  const balancer = await startOf(scenario, replicas, { grpc, http1, http2 }, isTls);
  const names = replicas.map((replica) => replica.options.name);
  for (const name of names) await waitUntilTaken(name, balancer.ports, tls?.ca);

  const clients = kinds.map(
    (kind) => new ClientProcess(kind, balancer.ports, maxPauseMs, tls?.caFile),
  );
  await Promise.all(clients.map((client) => client.ready));
  log("every client is under load");
  await sleep(MARGIN_MS);
  for (let round = 0; round < restarts; round++) {
    for (const replica of replicas) {
      const { name } = replica.options;
      log(`${name} stops`);
      await replica.stop();
      log(`${name} ended`);
      await replica.start();
      await waitUntilTaken(name, balancer.ports, tls?.ca);
      log(`${name} is back`);
      await sleep(MARGIN_MS / 3);
    }
  }
  await sleep(MARGIN_MS);

  const reports = new Map<ClientKind, LoadReport>();
  await Promise.all(clients.map(async (client) => reports.set(client.kind, await client.stop())));
  await Promise.all(replicas.map((replica) => replica.stop()));
  await balancer.stop();
  if (tls) await rm(tls.directory, { recursive: true });
  return { restarts: restarts * replicas.length, reports: inOrder(reports, kinds) };
}

function startOf(
  scenario: Scenario,
  replicas: readonly ReplicaProcess[],
  ports: FrontPorts,
  isTls: boolean,
): Promise<Balancer> {
  const backends = replicas.map((replica) => replica.options);
  switch (scenario) {
    case "nginx":
      return startNginx(backends, ports);
    case "haproxy":
      return startHaproxy(backends, ports);
    case "l4":
      return startTcpHaproxy(backends, ports, isTls);
  }
}

function inOrder<K, V>(map: ReadonlyMap<K, V>, keys: readonly K[]): Map<K, V> {
  return new Map(keys.flatMap((key) => (map.has(key) ? [[key, map.get(key) as V] as const] : [])));
}
