import { parseArgs } from "node:util";
import { nodeBinary } from "../matrix/node-versions.ts";
import { type ClientKind, clientKinds } from "./client-process.ts";
import { runScenario, type ScenarioResult, scenarios } from "./scenario.ts";
import { printTable } from "./table.ts";

// Rolling restarts under load, expected to lose no call. Usage:
//   run.ts [--node 20,22,24] [--scenarios nginx,haproxy,l4] [--clients grpc-js,...] [--restarts 10]
//          [--pause 0] [--bare] [--tls] [--verbose]
// --pause is the longest pause of a client between two calls, in milliseconds.
// --bare runs servers with the stop order of a plain http2 close() and expects losses; --tls gives the
// replicas TLS, behind l4 only. Calls "never sent" are the clients' own doing: see NeverSentError. Exits
// with 1 when the expectation fails.
const { values } = parseArgs({
  options: {
    node: { type: "string", default: "20,22,24" },
    scenarios: { type: "string" },
    clients: { type: "string", default: Object.keys(clientKinds).join() },
    restarts: { type: "string", default: "10" },
    pause: { type: "string", default: "0" },
    bare: { type: "boolean", default: false },
    tls: { type: "boolean", default: false },
    verbose: { type: "boolean", default: false },
  },
});
const RESTART_LIMIT_MS = 60_000;
const restarts = Number(values.restarts);
const chosen = namesOf(
  "scenarios",
  values.scenarios ?? (values.tls ? "l4" : scenarios.join()),
  scenarios,
);
const clients = namesOf("clients", values.clients, Object.keys(clientKinds) as ClientKind[]);
if (values.tls && chosen.some((scenario) => scenario !== "l4")) {
  throw new Error("--tls works with --scenarios l4 only");
}

let lost = 0;
let idle = 0;
for (const major of values.node.split(",")) {
  for (const scenario of chosen) {
    const limit = setTimeout(
      () => {
        console.error(`${scenario} on Node ${major} takes too long`);
        process.exit(1);
      },
      (restarts * 2 + 2) * RESTART_LIMIT_MS,
    );
    const title = `${scenario}${values.tls ? " TLS" : ""}${values.bare ? " bare" : ""}, Node ${major}`;
    const events: Array<{ at: number; text: string }> = [];
    const result = await runScenario({
      scenario,
      clients,
      node: nodeBinary(Number(major)),
      restarts,
      maxPauseMs: Number(values.pause),
      isBare: values.bare,
      isTls: values.tls,
      log: (text) => {
        events.push({ at: Date.now(), text });
      },
    });
    clearTimeout(limit);
    console.log(`\n${title}: ${result.restarts} restarts`);
    if (values.verbose) printEvents(events, result);
    printTable(rowsOf(result));
    for (const { failed, answered } of result.reports.values()) {
      lost += failed;
      if (Object.keys(answered).length < 2) idle++;
    }
  }
}

if (idle > 0) console.error(`\n${idle} client(s) met one replica only, which proves nothing`);
if (values.bare && lost === 0) console.error("\nexpected a bare server to lose calls");
if (!values.bare && lost > 0) console.error(`\n${lost} call(s) failed, expected none`);
process.exit(idle > 0 || values.bare === (lost === 0) ? 1 : 0);

function rowsOf({ restarts, reports }: ScenarioResult) {
  return [...reports].map(([client, { calls, failed, neverSent, failures }]) => ({
    client,
    calls,
    failed,
    "never sent": neverSent,
    restarts,
    "first error":
      (failures.find(({ text }) => !text.includes("never sent")) ?? failures[0])?.text ?? "-",
  }));
}

/** Restarts and failures in the order they happened, in seconds since the load began. */
function printEvents(events: ReadonlyArray<{ at: number; text: string }>, result: ScenarioResult) {
  const all = [...events];
  for (const [client, { failures }] of result.reports) {
    for (const { at, text } of failures) all.push({ at, text: `  ${client}: ${text}` });
  }
  all.sort((one, other) => one.at - other.at);
  const start = all[0]?.at ?? 0;
  for (const { at, text } of all) console.log(`${((at - start) / 1000).toFixed(3)}  ${text}`);
}

function namesOf<T extends string>(option: string, given: string, known: readonly T[]): T[] {
  return given.split(",").map((name) => {
    if (!known.includes(name as T)) {
      throw new Error(`--${option} knows ${known.join(", ")}; got "${name}"`);
    }
    return name as T;
  });
}
