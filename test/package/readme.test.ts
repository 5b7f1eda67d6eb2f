import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";
import { named, readmes, section, tableRows } from "./markdown.ts";

const readme = readFileSync("README.md", "utf8");
const manifest = JSON.parse(readFileSync("package.json", "utf8")) as {
  exports: Record<string, unknown>;
  scripts: Record<string, string>;
  dependencies: Record<string, string>;
  peerDependencies: Record<string, string>;
  peerDependenciesMeta: Record<string, unknown>;
};
/** The first cell of every row under a heading, without its backticks. */
const firstCells = (heading: string) =>
  tableRows(section(readme, heading)).map(([cell = ""]) => cell.replaceAll("`", ""));

describe("README.md", () => {
  test("the error table names every code of ConnectumError and no other", () => {
    const source = readFileSync("src/core/errors.ts", "utf8");
    const [union = ""] = /type ConnectumErrorCode =[^;]+/.exec(source) ?? [];
    const codes = [...union.matchAll(/"([A-Z_]+)"/g)].map(([, code]) => code);
    assert.ok(codes.length > 10);
    assert.deepEqual(firstCells("## Errors for developers"), codes);
  });

  test("the subpath table has every subpath of the package and no other", () => {
    const documented = firstCells("## Subpaths")
      .flatMap((cell) => cell.split(", "))
      .filter((cell) => cell.startsWith("connectum"));
    const subpaths = Object.keys(manifest.exports)
      .filter((key) => key !== "./package.json")
      .map((key) => key.replace(/^\./, "connectum"));
    assert.deepEqual(documented.sort(), subpaths.sort());
  });

  test("every runtime dependency says what it is for, and every peer is named", () => {
    assert.deepEqual(firstCells("## Dependencies"), Object.keys(manifest.dependencies));
    for (const [name, purpose] of tableRows(section(readme, "## Dependencies"))) {
      assert.ok(purpose, `${name} has no purpose`);
    }
    for (const name of Object.keys(manifest.peerDependencies)) {
      if (name in manifest.peerDependenciesMeta) continue;
      assert.ok(section(readme, "## Dependencies").includes(`\`${name}\``), name);
    }
  });

  test("the feature table has no empty cell, and every path in it exists", () => {
    const features = tableRows(section(readme, "## Features"));
    assert.ok(features.length > 100);
    const problems: string[] = [];
    for (const row of features) {
      const [feature = "", where = "", proof = ""] = row;
      if (row.length !== 3 || feature === "" || named(where).length === 0) problems.push(feature);
      if (!named(proof).every((path) => path.startsWith("test/"))) problems.push(proof);
      if (named(proof).length === 0) problems.push(`${feature}: no test`);
      for (const path of [...named(where), ...named(proof)]) {
        if (!existsSync(path)) problems.push(`${feature}: ${path} does not exist`);
      }
    }
    assert.deepEqual(problems, []);
  });

  test("every script it names exists, and every script is named", () => {
    const scripts = new Set<string>();
    for (const [, , list = ""] of readme.matchAll(/(`|^|&& )npm run ([\w:-]+)/gm)) {
      scripts.add(list);
    }
    for (const code of named(section(readme, "## Contributing"))) {
      if (code in manifest.scripts) scripts.add(code);
    }
    const indirect = ["build", "typecheck", "lint", "test", "check:package", "pictures"];
    assert.deepEqual(
      [...new Set([...scripts, ...indirect])].sort(),
      Object.keys(manifest.scripts).sort(),
    );
  });
});

test("every link from one file of the repository to another leads somewhere", () => {
  const broken: string[] = [];
  for (const file of readmes()) {
    const text = readFileSync(file, "utf8");
    for (const [, target = ""] of text.matchAll(/\]\((?!https?:)([^)\s]+)\)/g)) {
      const [path = "", anchor] = target.split("#");
      const to = path === "" ? file : join(dirname(file), path);
      if (!existsSync(to)) broken.push(`${file}: ${target}`);
      else if (anchor !== undefined && !anchors(to).has(anchor)) broken.push(`${file}: ${target}`);
    }
  }
  assert.deepEqual(broken, []);
});

function anchors(file: string): Set<string> {
  const headings = readFileSync(file, "utf8").matchAll(/^#+ (.+)$/gm);
  return new Set(
    [...headings].map(([, heading = ""]) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\w\s-]/g, "")
        .replaceAll(" ", "-"),
    ),
  );
}
