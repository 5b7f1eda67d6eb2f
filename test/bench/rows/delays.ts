import { once } from "node:events";
import { startProcess } from "../peer.ts";
import type { Bench, Row, RowResult } from "../row.ts";
import { spreadOf } from "../statistics.ts";

/** From a client that leaves a call to the end of its handler, over 200 tries. */
export const leave = delayRow("LEAVE", "delay from a client that leaves to the end of its handler");

/** From a change of health to the last of 1000 watchers that hears of it, over 200 tries. */
export const watch = delayRow("WATCH", "delay from a change of health to 1000 watchers");

/** From the first bytes of an upload without a token to its refusal, over 200 tries. */
export const refused = delayRow("REFUSED", "delay from an upload without a token to its refusal");

/** From the deadline of a call to the signal of its handler, over 200 tries. */
export const timeout = delayRow(
  "TIMEOUT",
  "delay from the server's deadline to the handler's signal",
);

function delayRow(id: "LEAVE" | "WATCH" | "REFUSED" | "TIMEOUT", what: string): Row {
  return { id, what, needs: [], run: (bench) => run(bench, id) };
}

async function run({ node, workspace }: Bench, id: string): Promise<RowResult> {
  const script = "delays";
  const child = startProcess(node, workspace.script(script), { script, args: [id.toLowerCase()] });
  const [delays] = (await once(child, "message")) as [Record<string, number[]>];
  return {
    comparisons: [],
    figures: Object.entries(delays).map(([name, values]) => ({
      what: name,
      value: spreadOf(values),
      unit: "ms",
    })),
  };
}
