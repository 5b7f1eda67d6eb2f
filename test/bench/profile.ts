import { readdirSync, readFileSync } from "node:fs";
import { basename, resolve } from "node:path";
import { Peer } from "./peer.ts";
import type { Bench, Contender } from "./row.ts";

interface CpuProfile {
  readonly nodes: ReadonlyArray<{
    readonly id: number;
    readonly callFrame: { functionName: string; url: string; lineNumber: number };
  }>;
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

const TOP = 45;
const SECONDS = 10;

/** Loads one peer while its CPU is profiled; returns where the time went, by place and by function. */
export async function profile(bench: Bench, { peer: spec, load }: Contender): Promise<string> {
  const { directory } = bench.workspace;
  const flags = ["--cpu-prof", `--cpu-prof-dir=${directory}`, "--cpu-prof-interval=250"];
  const peer = await Peer.start(bench.node, bench.workspace.script(spec.script), {
    ...spec,
    flags,
  });
  try {
    await load.run(peer, bench.warmUpSeconds + SECONDS, bench.payloads);
  } finally {
    await peer.stop();
  }
  const file = readdirSync(directory).find((name) => name.endsWith(".cpuprofile"));
  if (!file) throw new Error("Node wrote no CPU profile");
  return describe(JSON.parse(readFileSync(resolve(directory, file), "utf8")) as CpuProfile);
}

function describe({ nodes, samples, timeDeltas }: CpuProfile): string {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const byFunction = new Map<string, number>();
  const byPlace = new Map<string, number>();
  let total = 0;
  for (const [index, id] of samples.entries()) {
    const frame = frames.get(id);
    if (!frame || frame.functionName === "(idle)") continue;
    const micros = timeDeltas[index] ?? 0;
    total += micros;
    const { functionName, url, lineNumber } = frame;
    const place = url === "" ? functionName : placeOf(url);
    const where = url === "" ? "" : `${basename(url)}:${lineNumber + 1}`;
    add(byFunction, `${functionName || "(anonymous)"}  ${where}`, micros);
    add(byPlace, place, micros);
  }
  return [
    "by place, self time:",
    ...top(byPlace, total, 15),
    "",
    "by function, self time:",
    ...top(byFunction, total, TOP),
  ].join("\n");
}

/** The package, or the part of Node, that a script belongs to. */
function placeOf(url: string): string {
  const inPackage = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url);
  if (inPackage) return inPackage[1] as string;
  return url.startsWith("node:") ? url : "bench server";
}

function add(sums: Map<string, number>, key: string, value: number): void {
  sums.set(key, (sums.get(key) ?? 0) + value);
}

function top(sums: Map<string, number>, total: number, count: number): string[] {
  return [...sums]
    .sort(([, a], [, b]) => b - a)
    .slice(0, count)
    .map(([key, value]) => `${((100 * value) / total).toFixed(1).padStart(6)} %  ${key}`);
}
