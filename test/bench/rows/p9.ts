import { spawn } from "node:child_process";
import { once } from "node:events";
import { grpcUnary } from "../loads.ts";
import { Peer } from "../peer.ts";
import type { Bench, Comparison, Figure, Row, RowResult } from "../row.ts";
import type { Memory } from "../servers/host.ts";
import { shuffled, slopeOf, spreadOf } from "../statistics.ts";
import { loadBinary } from "../tools.ts";

const scripts = { raw: "raw-http2", connectum: "connectum" } as const;
type Name = keyof typeof scripts;
const names = Object.keys(scripts) as Name[];
const CONNECTIONS = 1000;

export const p9: Row = {
  id: "P9",
  what: "memory of an idle h2 connection; heap over 1 million calls",
  needs: ["h2load", "load"],
  run,
};

async function run(bench: Bench): Promise<RowResult> {
  const idle: Record<Name, Memory[]> = { raw: [], connectum: [] };
  for (let round = 0; round < bench.rounds; round++) {
    for (const name of shuffled(names)) idle[name].push(await idleConnection(bench, name));
  }
  const growth = await heapGrowth(bench);
  return {
    comparisons: [
      compareIdle(idle, "rss", "RSS", 1.15),
      compareIdle(idle, "heap", "heap", undefined),
      growth.comparison,
    ],
    figures: [
      ...names.flatMap((name) => [
        figure(
          `${name}, RSS of a connection`,
          idle[name].map(({ rss }) => rss),
        ),
        figure(
          `${name}, heap of a connection`,
          idle[name].map(({ heap }) => heap),
        ),
      ]),
      ...growth.figures,
    ],
  };
}

/** What one of many idle connections adds to a fresh process. */
async function idleConnection(bench: Bench, name: Name): Promise<Memory> {
  const peer = await start(bench, name);
  try {
    await openIdle(peer, 10, async () => {});
    const before = await peer.memory();
    const after = await openIdle(peer, CONNECTIONS, () => peer.memory());
    return {
      rss: (after.rss - before.rss) / CONNECTIONS,
      heap: (after.heap - before.heap) / CONNECTIONS,
    };
  } finally {
    await peer.stop();
  }
}

async function openIdle<T>(peer: Peer, connections: number, then: () => Promise<T>): Promise<T> {
  const args = ["-mode", "idle", "-address", peer.address, "-connections", String(connections)];
  const child = spawn(loadBinary, args, { stdio: ["pipe", "pipe", "inherit"] });
  const exited = once(child, "exit");
  try {
    await Promise.race([
      once(child.stdout, "data"),
      exited.then(() => Promise.reject(new Error("idle connections could not be opened"))),
    ]);
    return await then();
  } finally {
    child.stdin.end();
    await exited;
  }
}

/** The heap after forced collections between loads: its slope over the calls, against the noise. */
async function heapGrowth(bench: Bench): Promise<{ comparison: Comparison; figures: Figure[] }> {
  const wantedCalls = bench.isQuick ? 50_000 : 1_000_000;
  const load = grpcUnary("frame");
  const peer = await start(bench, "connectum");
  const calls: number[] = [];
  const heaps: number[] = [];
  try {
    let done = (await load.run(peer, bench.warmUpSeconds, bench.payloads)).count;
    while (done < wantedCalls || calls.length < 5) {
      calls.push(done);
      heaps.push((await peer.memory()).heap);
      done += (await load.run(peer, bench.isQuick ? 0.6 : 4, bench.payloads)).count;
    }
    bench.note(`heap followed over ${done} calls`);
  } finally {
    await peer.stop();
  }
  const { slope, standardError } = slopeOf(calls, heaps);
  // Below 0.05 bytes a call, a million calls add 50 KB: less than one garbage collection leaves behind.
  const noise = Math.max(2 * standardError, 0.05);
  const ratio = slope / noise;
  return {
    comparison: {
      what: "heap slope over calls, noise = 1",
      ratio: spreadOf([ratio]),
      rounds: [ratio],
      target: { atMost: 1 },
    },
    figures: [
      { what: "heap after collections", value: spreadOf(heaps), unit: "bytes" },
      { what: "heap slope", value: spreadOf([slope]), unit: "bytes per call" },
      { what: "calls", value: spreadOf([calls[calls.length - 1] ?? 0]), unit: "calls" },
    ],
  };
}

function start({ node, workspace }: Bench, name: Name): Promise<Peer> {
  const script = scripts[name];
  return Peer.start(node, workspace.script(script), { script, flags: ["--expose-gc"] });
}

function compareIdle(
  idle: Record<Name, Memory[]>,
  key: keyof Memory,
  label: string,
  atMost: number | undefined,
): Comparison {
  const rounds = idle.connectum.map((ours, round) => ours[key] / (idle.raw[round] as Memory)[key]);
  return {
    what: `connectum / raw, ${label} of an idle connection`,
    ratio: spreadOf(rounds),
    rounds,
    target: atMost === undefined ? undefined : { atMost },
  };
}

function figure(what: string, values: number[]): Figure {
  return { what, value: spreadOf(values), unit: "bytes" };
}
