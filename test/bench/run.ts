import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import * as os from "node:os";
import { nodeBinary } from "../matrix/node-versions.ts";
import { type BenchOptions, parseOptions, usage } from "./options.ts";
import { writePayloads } from "./payloads.ts";
import { profile } from "./profile.ts";
import type { Bench, Row, RowResult } from "./row.ts";
import { rows } from "./rows/index.ts";
import { countMissed, formatFigures, formatTable, type MeasuredRow } from "./table.ts";
import { canPin, requireTools } from "./tools.ts";
import { createWorkspace } from "./workspace.ts";

try {
  const options = parseOptions(process.argv.slice(2));
  if (options === "help") console.log(usage);
  else await main(options);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

async function main(options: BenchOptions): Promise<void> {
  const wanted = options.profile ? [options.profile] : options.rows;
  const unknown = wanted.filter((id) => !rows.some((row) => row.id === id));
  if (unknown.length > 0) {
    throw new Error(
      `no row ${unknown.join(", ")}; there are ${rows.map(({ id }) => id).join(" ")}`,
    );
  }
  const chosen = wanted.length === 0 ? rows : rows.filter(({ id }) => wanted.includes(id));
  requireTools(new Set(chosen.flatMap(({ needs }) => needs)));
  const nodes = options.nodes.map((major) => nodeBinary(major));
  const workspace = await createWorkspace();
  const payloads = writePayloads(workspace.directory);
  const bench = (node: string): Bench => ({
    node,
    workspace,
    payloads,
    rounds: options.rounds ?? (options.isQuick ? 3 : 5),
    slices: options.isQuick ? 5 : 20,
    sliceSeconds: 0.3,
    maxRoundSeconds: options.isQuick ? 6 : 8,
    warmUpSeconds: options.isQuick ? 1 : 3,
    isQuick: options.isQuick,
    note: (text) => console.error(`  ${text}`),
  });
  try {
    if (options.profile) await printProfile(options, chosen[0] as Row, bench(nodes[0] as string));
    else await printTable(options, chosen, nodes.map(bench));
  } finally {
    workspace.remove();
  }
}

async function printProfile({ peer }: BenchOptions, row: Row, bench: Bench): Promise<void> {
  const contender = row.contenders?.[peer];
  if (!contender) {
    const names = Object.keys(row.contenders ?? {}).join(", ") || "nothing";
    throw new Error(`${row.id} has no "${peer}" to profile; it has ${names}`);
  }
  console.log(`${row.id}, ${row.what}: ${peer} on Node ${versionOf(bench.node)}`);
  console.log(await profile(bench, contender));
}

async function printTable(
  options: BenchOptions,
  chosen: readonly Row[],
  benches: readonly Bench[],
): Promise<void> {
  const start = performance.now();
  const versions = benches.map(({ node }) => versionOf(node));
  const measured: MeasuredRow[] = [];
  for (const { id, what, run } of chosen) {
    const results = new Map<string, RowResult>();
    measured.push({ id, what, results });
    for (const [index, bench] of benches.entries()) {
      console.error(`${id} on Node ${versions[index]}: ${what}`);
      results.set(versions[index] as string, await run(bench));
    }
  }
  const [bench] = benches;
  const machine = describeMachine(bench as Bench);
  const minutes = ((performance.now() - start) / 60_000).toFixed(1);
  console.log(machine.join("\n"));
  for (const { id, what } of chosen) console.log(`${id.padEnd(4)} ${what}`);
  console.log(`\nmin / median / max of the ratio\n${formatTable(measured, versions)}`);
  console.log(`\nabsolute figures of this machine\n${formatFigures(measured, versions)}`);
  console.log(`\n${countMissed(measured)} targets missed, ${minutes} minutes`);
  if (options.json) writeFileSync(options.json, toJson(measured, machine));
}

function describeMachine({ rounds, slices, sliceSeconds }: Bench): string[] {
  const cores = os.cpus();
  const pinning = canPin() ? "servers on core 0, load on core 1" : "not pinned: no taskset here";
  return [
    `${cores.length} x ${cores[0]?.model.trim()}, ${os.type()} ${os.release()}, ${pinning}`,
    `load average ${os
      .loadavg()
      .map((load) => load.toFixed(1))
      .join(" ")}`,
    `${rounds} rounds, each the median of ${slices} interleaved slices of ${sliceSeconds} s`,
    "throughput is counted per second of the server's CPU time",
  ];
}

function versionOf(node: string): string {
  return execFileSync(node, ["--version"], { encoding: "utf8" }).trim().slice(1);
}

function toJson(measured: readonly MeasuredRow[], machine: readonly string[]): string {
  const list = measured.map(({ id, what, results }) => ({
    id,
    what,
    nodes: Object.fromEntries(results),
  }));
  return `${JSON.stringify({ machine, rows: list }, undefined, 2)}\n`;
}
