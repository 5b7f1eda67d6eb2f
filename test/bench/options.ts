import { parseArgs } from "node:util";

export interface BenchOptions {
  /** Row ids; empty for all. */
  readonly rows: readonly string[];
  readonly nodes: readonly number[];
  readonly isQuick: boolean;
  /** Undefined for as many as the mode has. */
  readonly rounds: number | undefined;
  readonly json: string | undefined;
  /** Row whose server is profiled instead of measured. */
  readonly profile: string | undefined;
  /** Peer that is profiled. */
  readonly peer: string;
}

export const usage = `npm run bench -- [options]
  --rows P1,P4     only these rows
  --node 20,24     Node versions of the servers (default 20,24)
  --quick          fewer and shorter rounds: all rows on two Nodes take about 21 minutes with 5 rounds
  --rounds 5       how many rounds (default 5, or 3 with --quick)
  --json FILE      also write every figure to FILE
  --profile P1     CPU profile of our server under the load of a row: functions with the most self time
  --peer NAME      with --profile: the peer to profile (default connectum)`;

/** Throws with one line that says what is wrong. */
export function parseOptions(args: string[]): BenchOptions | "help" {
  const { values } = parseArgs({
    args,
    options: {
      rows: { type: "string", default: "" },
      node: { type: "string", default: "20,24" },
      quick: { type: "boolean", default: false },
      rounds: { type: "string" },
      json: { type: "string" },
      profile: { type: "string" },
      peer: { type: "string", default: "connectum" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return "help";
  const nodes = listOf(values.node).map(Number);
  if (nodes.length === 0 || nodes.some((major) => !Number.isInteger(major))) {
    throw new Error(`--node takes major versions such as 20,24, got "${values.node}"`);
  }
  const rounds = values.rounds === undefined ? undefined : Number(values.rounds);
  if (rounds !== undefined && !(Number.isInteger(rounds) && rounds > 0)) {
    throw new Error(`--rounds takes a number above 0, got "${values.rounds}"`);
  }
  return {
    rows: listOf(values.rows).map(upper),
    nodes,
    isQuick: values.quick,
    rounds,
    json: values.json,
    profile: values.profile?.toUpperCase(),
    peer: values.peer,
  };
}

function listOf(text: string): string[] {
  return text
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");
}

function upper(text: string): string {
  return text.toUpperCase();
}
