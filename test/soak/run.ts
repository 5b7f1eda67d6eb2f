import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { grid } from "../support/transports.ts";
import { badClients, runBadClient } from "./bad-clients.ts";
import { runGoodClient, runGrpcJs, type Site } from "./good-clients.ts";
import { createRotatingCertificate } from "./rotating-certificate.ts";
import type { Report, Sample } from "./server-process.ts";
import { Tally } from "./tally.ts";

// Good and bad clients mixed for 30 minutes, cancellations, client restarts and certificate rotation:
// no error nobody expected, flat memory, flat handles. Usage: npm run soak [-- minutes]

const minutes = Number(process.argv[2] ?? 30);
const SAMPLES = 30;
const ROTATION_MS = 5_000;

const certificate = await createRotatingCertificate();
const child: ChildProcess = fork("test/soak/server-process.ts", [certificate.dirPath], {
  execArgv: ["--import", "tsx", "--expose-gc"],
});
const good = new Tally();
const bad = new Tally();
child.on("message", (report: Report) => {
  if (report.kind !== "error") return;
  good.fail("server", report.text);
});
child.on("exit", (code, signal) => {
  if (code !== 0) good.fail("server", new Error(`exited with ${code ?? signal}`));
});

const ready = await message("ready");
const sites: Site[] = [
  { name: "plaintext", baseUrl: `http://127.0.0.1:${ready.plaintext}`, ca: undefined },
  { name: "TLS", baseUrl: `https://127.0.0.1:${ready.tls}`, ca: certificate.ca },
];
const victims = [
  { port: ready.plaintext, isTls: false },
  { port: ready.tls, isTls: true },
];

const idle = await sample();
let isOver = false;
const over = () => isOver;
const clients = [
  ...sites.flatMap((site) => [
    ...grid.map((name) => runGoodClient(name, site, good, over)),
    runGrpcJs(site, good, over),
  ]),
  ...victims.flatMap((victim) => badClients.map((name) => runBadClient(name, victim, bad, over))),
  rotate(),
];

const samples: Array<Sample & { minute: number; calls: number; attacks: number }> = [];
const started = performance.now();
for (let index = 1; index <= SAMPLES; index++) {
  const at = (index * minutes * 60_000) / SAMPLES;
  await sleep(Math.max(0, started + at - performance.now()));
  const row = {
    minute: Math.round((at / 60_000) * 10) / 10,
    ...(await sample()),
    calls: good.total,
    attacks: bad.total,
  };
  samples.push(row);
  console.log(JSON.stringify({ ...row, unexpected: good.unexpected + bad.unexpected }));
}
isOver = true;
await Promise.all(clients);
await sleep(5_000);
const left = await sample();
child.send("stop");
await message("stopped");
await once(child, "exit");
certificate.remove();

console.table(samples);
console.table({ idle, left });
console.table(Object.fromEntries([...good.done, ...bad.done]));
console.log(`${certificate.version} certificates`);

const third = Math.floor(SAMPLES / 3);
const early = median(samples.slice(third, 2 * third).map(({ heapMiB }) => heapMiB));
const late = median(samples.slice(2 * third).map(({ heapMiB }) => heapMiB));
const checks: Record<string, boolean> = {
  "0 unexpected errors": good.unexpected + bad.unexpected === 0,
  [`heap flat: ${early} MiB in the second third, ${late} MiB in the last`]: late <= early * 1.1 + 3,
  [`handles back: ${idle.handles} before, ${left.handles} after`]: left.handles <= idle.handles,
  [`connections back: ${left.connections} after`]: left.connections === 0,
};
for (const [name, holds] of Object.entries(checks)) console.log(holds ? "ok" : "NOT OK", name);
process.exit(Object.values(checks).every(Boolean) ? 0 : 1);

async function rotate(): Promise<void> {
  while (!isOver) {
    await sleep(ROTATION_MS);
    await certificate.rotate();
  }
}

async function sample(): Promise<Sample> {
  child.send("sample");
  return (await message("sample")).sample;
}

function message<K extends Report["kind"]>(kind: K): Promise<Extract<Report, { kind: K }>> {
  return new Promise((resolve) => {
    const onMessage = (report: Report) => {
      if (report.kind !== kind) return;
      child.off("message", onMessage);
      resolve(report as Extract<Report, { kind: K }>);
    };
    child.on("message", onMessage);
  });
}

function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
