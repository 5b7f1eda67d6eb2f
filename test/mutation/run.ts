import { readFileSync } from "node:fs";
import { countCodeLines } from "./code-lines.ts";
import { concepts } from "./concepts.ts";
import { runStryker } from "./stryker.ts";
import { type Counts, judge, scoreOf, type Verdict } from "./verdict.ts";

// Changes the code that decides about calls in every way Stryker knows, one change at a time, and looks
// whether its tests notice. Fails below 80 %, and for a change nobody noticed that survivors.ts does not
// explain. 20 to 60 minutes on two cores. Usage: npm run mutation [-- concept or part of a path ...]

const LEAST_SCORE = 80;
/** What two cores can do in an hour. Who names more takes something else away. */
const MOST_LINES = 1_500;

const named = Object.values(concepts).flatMap(({ mutate }) => mutate);
const lines = named.reduce((sum, file) => sum + countCodeLines(readFileSync(file, "utf8")), 0);
if (lines > MOST_LINES) {
  throw new Error(`concepts.ts names ${lines} lines of code, at most ${MOST_LINES} are tested`);
}

const asked = process.argv.slice(2);
const begin = performance.now();
const verdicts: Record<string, Verdict> = {};
for (const [name, { mutate, tests }] of Object.entries(concepts)) {
  const isAsked = (file: string) => asked.some((part) => part === name || file.includes(part));
  const files = asked.length === 0 ? mutate : mutate.filter(isAsked);
  if (files.length === 0) continue;
  const started = performance.now();
  for (const [file, report] of Object.entries(runStryker(name, { mutate: files, tests }))) {
    const verdict = judge(file, report);
    verdicts[file] = verdict;
    for (const mutant of verdict.unexplained) console.log(`NOT EXPLAINED ${file}: ${mutant}`);
    for (const mutant of verdict.outdated) console.log(`listed, but killed: ${file}: ${mutant}`);
  }
  console.log(`${name}: ${seconds(started)} s`);
}

const all = Object.values(verdicts);
const sum = (key: keyof Counts) => all.reduce((total, verdict) => total + verdict[key], 0);
const total = {
  codeLines: sum("codeLines"),
  killed: sum("killed"),
  timedOut: sum("timedOut"),
  survived: sum("survived"),
};
const rows: Array<[string, Counts]> = [...Object.entries(verdicts), ["total", total]];
console.table(Object.fromEntries(rows.map(([file, counts]) => [file, row(counts)])));
const isExplained = all.every(({ unexplained }) => unexplained.length === 0);
const isGood = scoreOf(total) >= LEAST_SCORE && isExplained;
console.log(`${isGood ? "ok" : "NOT OK"}, ${seconds(begin)} s`);
process.exit(isGood ? 0 : 1);

function row({ codeLines, killed, timedOut, survived }: Counts) {
  return {
    "lines of code": codeLines,
    mutants: killed + survived,
    timedOut,
    survived,
    "score %": scoreOf({ killed, survived }).toFixed(1),
  };
}

function seconds(since: number): string {
  return ((performance.now() - since) / 1000).toFixed(0);
}
