import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";

const folders = readdirSync("examples", { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

describe("the READMEs of the examples", () => {
  test("the first names every folder, and no other", () => {
    const readme = readFileSync("examples/README.md", "utf8");
    const named = [...readme.matchAll(/^\| \[([\w-]+)\]\(\1\) \|/gm)].map(([, name]) => name);
    assert.deepEqual(named.sort(), folders.sort());
  });

  for (const folder of folders) {
    test(`${folder}: is a page at most, and what it links to and runs is there`, () => {
      const readme = readFileSync(`examples/${folder}/README.md`, "utf8");
      assert.ok(readme.split("\n").length <= 60, "longer than a page");
      const links = [...readme.matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map(([, path = ""]) =>
        join("examples", folder, path),
      );
      const named = [...readme.matchAll(/\b((?:examples|test)\/[\w/.-]+\w)/g)].map(
        ([, path = ""]) => path,
      );
      const paths = [...links, ...named];
      assert.ok(paths.length > 0, "names no file");
      assert.deepEqual(
        paths.filter((path) => !existsSync(path)),
        [],
      );
    });
  }
});
