import { once } from "node:events";
import { startProcess } from "../peer.ts";
import type { Bench, Comparison, Row, RowResult } from "../row.ts";
import { shuffled, spreadOf } from "../statistics.ts";

const apps = { connectum: "app-connectum", "connect-node": "app-connect-node" } as const;
type Name = keyof typeof apps;

interface ColdStart {
  readonly clockMs: number;
  readonly cpuMs: number;
}

export const p11: Row = {
  id: "P11",
  what: "cold start: import and listen",
  needs: [],
  run,
};

async function run(bench: Bench): Promise<RowResult> {
  const results: Record<Name, ColdStart[]> = { connectum: [], "connect-node": [] };
  // The first start of each reads the files into the page cache.
  for (const name of Object.keys(apps) as Name[]) await coldStart(bench, apps[name]);
  for (let round = 0; round < bench.rounds * 4; round++) {
    for (const [name, app] of shuffled(Object.entries(apps)) as [Name, string][]) {
      results[name].push(await coldStart(bench, app));
    }
  }
  return {
    comparisons: [compare(results, "cpuMs", 1.2), compare(results, "clockMs", undefined)],
    figures: (Object.keys(apps) as Name[]).flatMap((name) => [
      { what: name, value: spreadOf(results[name].map(({ cpuMs }) => cpuMs)), unit: "CPU ms" },
      { what: name, value: spreadOf(results[name].map(({ clockMs }) => clockMs)), unit: "ms" },
    ]),
  };
}

async function coldStart({ node, workspace }: Bench, app: string): Promise<ColdStart> {
  const script = "cold-start";
  const child = startProcess(node, workspace.script(script), { script, args: [app] });
  const exited = once(child, "exit");
  const [result] = (await once(child, "message")) as [ColdStart];
  await exited;
  return result;
}

function compare(
  results: Record<Name, ColdStart[]>,
  key: keyof ColdStart,
  atMost: number | undefined,
): Comparison {
  const rounds = results.connectum.map(
    (ours, round) => ours[key] / (results["connect-node"][round] as ColdStart)[key],
  );
  return {
    what: `connectum / connect-node, ${key === "cpuMs" ? "CPU time" : "by the clock"}`,
    ratio: spreadOf(rounds),
    rounds,
    target: atMost === undefined ? undefined : { atMost },
  };
}
