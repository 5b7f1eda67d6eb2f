import { concepts } from "./concepts.ts";
import { runStryker } from "./stryker.ts";
import { judge, scoreOf, type Verdict } from "./verdict.ts";

// Changes the code that decides about calls in every way Stryker knows, one change at a time, and looks
// whether its tests notice. Fails below 80 %, and for a change nobody noticed that survivors.ts does not
// explain. 20 to 60 minutes on two cores. Usage: npm run mutation [-- concept or part of a path ...]

const LEAST_SCORE = 80;

const asked = process.argv.slice(2);
const begin = performance.now();
const verdicts: Record<string, Verdict> = {};
for (const [name, { mutate, tests }] of Object.entries(concepts)) {
  const isAsked = (file: string) => asked.some((part) => part === name || file.includes(part));
  const files = asked.length === 0 ? mutate : mutate.filter(isAsked);
  if (files.length === 0) continue;
  const started = performance.now();
  for (const [file, report] of Object.entries(runStryker(name, { mutate: files, tests }))) {
    verdicts[file] = judge(file, report);
  }
  console.log(`${name}: ${seconds(started)} s`);
}

const rows = Object.entries(verdicts);
const total = { lines: 0, killed: 0, timedOut: 0, survived: 0 };
for (const [, verdict] of rows) {
  for (const key of ["lines", "killed", "timedOut", "survived"] as const)
    total[key] += verdict[key];
}
console.table(
  Object.fromEntries([...rows, ["total", total] as const].map(([n, v]) => [n, row(v)])),
);
for (const [file, { unexplained, outdated }] of rows) {
  for (const mutant of unexplained) console.log(`NOT EXPLAINED ${file}: ${mutant}`);
  for (const mutant of outdated)
    console.log(`killed, but in the list of survivors: ${file}: ${mutant}`);
}
const isGood =
  scoreOf(total) >= LEAST_SCORE && rows.every(([, { unexplained }]) => unexplained.length === 0);
console.log(`${isGood ? "ok" : "NOT OK"}, ${seconds(begin)} s`);
process.exit(isGood ? 0 : 1);

function row({ lines, killed, timedOut, survived }: typeof total) {
  const score = scoreOf({ killed, survived }).toFixed(1);
  return {
    "lines with mutants": lines,
    mutants: killed + survived,
    timedOut,
    survived,
    "score %": score,
  };
}

function seconds(since: number): string {
  return ((performance.now() - since) / 1000).toFixed(0);
}
