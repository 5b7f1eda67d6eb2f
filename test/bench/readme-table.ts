import { readFileSync, writeFileSync } from "node:fs";
import { type BenchReport, markdownTable } from "./markdown-table.ts";
import { missedTargets } from "./missed-targets.ts";
import { replaceBetween } from "./replace-between.ts";

const [report, readme = "README.md"] = process.argv.slice(2);
if (report === undefined) {
  console.error("usage: node --import tsx test/bench/readme-table.ts bench.json [README.md]");
  process.exitCode = 2;
} else {
  const measured = JSON.parse(readFileSync(report, "utf8")) as BenchReport;
  const { text, unexplained } = markdownTable(measured, missedTargets);
  writeFileSync(readme, replaceBetween(readFileSync(readme, "utf8"), "bench", text));
  for (const key of unexplained) {
    console.error(`missed and not explained: "${key}"; say why in test/bench/missed-targets.ts`);
  }
  if (unexplained.length > 0) process.exitCode = 1;
}
