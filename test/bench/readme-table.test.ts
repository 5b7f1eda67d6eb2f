import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { type BenchReport, markdownTable } from "./markdown-table.ts";

const recording = "test/bench/recorded.json";
const recorded = JSON.parse(readFileSync(recording, "utf8")) as BenchReport;
const missed = "P12 connectum / connect-node, bytes at start";

describe("the table of the README", () => {
  test("has a line for each ratio with a target and a column for each Node version", () => {
    const { text } = markdownTable(recorded, {});
    const [header, rule, ...rest] = text.split("\n");
    assert.equal(header, "|  | what | ratio | Node 20 | Node 24 | target |");
    assert.equal(rule, "| --- | --- | --- | --- | --- | --- |");
    assert.deepEqual(rest.slice(0, 3), [
      "| P7 | in-process server stream, 100 messages a call | connectum: time of a call, floor = 1 | 1.09 (1.07 to 1.09) | 1.10 (1.02 to 1.15) | at most 1.1 |",
      "| P7 |  | connectum / createRouterTransport | 33.0 (32.7 to 34.4) | 35.0 (31.0 to 36.6) | at least 12 |",
      "| P12 | size of an app that imports connectum/core only, bundled and minified | connectum / connect-node, bytes at start | 1.58 | 1.58 | at most 1.15 missed, note 1 |",
    ]);
    assert.match(text, /^Node 20\.\d+\.\d+ and 24\.\d+\.\d+; median .* 2 x Example CPU/m);
  });

  test("explains what is missed, and names what nobody has explained", () => {
    const silent = markdownTable(recorded, {});
    assert.deepEqual(silent.unexplained, [missed]);
    assert.match(silent.text, /^1\. P12 .*: not explained yet\.$/m);
    const explained = markdownTable(recorded, { [missed]: "It has more in it." });
    assert.deepEqual(explained.unexplained, []);
    assert.ok(explained.text.endsWith(`1. ${missed}: It has more in it.`));
  });

  test("replaces what stands between the markers, and nothing else", (t) => {
    const directory = mkdtempSync(join(tmpdir(), "readme-"));
    t.after(() => rmSync(directory, { recursive: true }));
    const readme = join(directory, "README.md");
    writeFileSync(readme, "before\n<!-- bench -->\nold\n<!-- /bench -->\nafter\n");
    const run = () =>
      spawnSync(
        process.execPath,
        ["--import", "tsx", "test/bench/readme-table.ts", recording, readme],
        { encoding: "utf8" },
      );
    const { status, stderr } = run();
    const text = readFileSync(readme, "utf8");
    assert.match(
      text,
      /^before\n<!-- bench -->\n\| {2}\| what [\s\S]+\n<!-- \/bench -->\nafter\n$/,
    );
    assert.ok(!text.includes("old"));
    assert.equal(status, stderr.includes(missed) ? 1 : 0);
    run();
    assert.equal(readFileSync(readme, "utf8"), text);
    writeFileSync(readme, "no markers");
    assert.throws(() =>
      execFileSync(
        process.execPath,
        ["--import", "tsx", "test/bench/readme-table.ts", recording, readme],
        { stdio: "ignore" },
      ),
    );
  });
});
