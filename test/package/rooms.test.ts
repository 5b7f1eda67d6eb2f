import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { describe, test } from "node:test";
import { named, readmes } from "./markdown.ts";

const sources = filesBelow("src").filter((file) => file.endsWith(".ts") && !isGenerated(file));
const rooms = readmes().filter((file) => file.startsWith("src/"));

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
}

function isGenerated(file: string): boolean {
  return /\/gen\//.test(file);
}

/** What a README names of its room: files as `name.ts`, folders as `name/`, several as `*-name.ts`. */
function namesIn(readme: string): string[] {
  return named(readFileSync(readme, "utf8")).filter((name) => /^[\w./*-]+(\.ts|\/)$/.test(name));
}

/** Whether a name, which may leave out folders that surround it, means the file. */
function means(name: string, file: string): boolean {
  const pattern = name.replaceAll(".", "\\.").replaceAll("*", "[^/]*");
  return new RegExp(name.endsWith("/") ? `(^|/)${pattern}` : `(^|/)${pattern}$`).test(file);
}

describe("the README of each room", () => {
  test("is there for every folder of src", () => {
    for (const folder of readdirSync("src")) assert.ok(existsSync(`src/${folder}/README.md`));
  });

  for (const readme of rooms) {
    const room = dirname(readme);
    const own = sources.filter((file) => nearestReadme(file) === readme);

    test(`${readme} names every file of its room`, () => {
      const names = namesIn(readme);
      const missing = own
        .filter((file) => basename(file) !== "index.ts")
        .map((file) => file.slice(room.length + 1))
        .filter((file) => !names.some((name) => means(name, file)));
      assert.deepEqual(missing, []);
    });

    test(`${readme} names no file that does not exist`, () => {
      const tests = room.replace(/^src/, "test");
      const files = [room, tests].filter((folder) => existsSync(folder)).flatMap(filesBelow);
      const wrong = namesIn(readme).filter(
        (name) =>
          !existsSync(name) &&
          !existsSync(join(room, name)) &&
          !files.some((file) => means(name, file)),
      );
      assert.deepEqual(wrong, []);
    });
  }
});

function nearestReadme(file: string): string {
  let folder = dirname(file);
  while (!rooms.includes(`${folder}/README.md`)) {
    if (folder === "src") return "";
    folder = dirname(folder);
  }
  return `${folder}/README.md`;
}
