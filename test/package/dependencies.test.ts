import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { join } from "node:path";
import { describe, test } from "node:test";
import ts from "typescript";

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license?: string | { readonly type: string };
  /** The form of old packages. */
  readonly licenses?: readonly { readonly type: string }[];
  readonly dependencies?: Record<string, string>;
  readonly peerDependencies?: Record<string, string>;
}

const readManifest = (folder: string) =>
  JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;

const own = readManifest(".");
const declared = Object.keys({ ...own.dependencies, ...own.peerDependencies });

/** Packages of package.json that no import names, and why they are there. */
const withoutImport: Record<string, string> = {
  "pino-pretty": "pino loads it by name, for LOG_FORMAT=pretty",
  "reflect-metadata": "@peculiar/x509, which connectum/testing loads, needs it",
};

describe("dependencies", () => {
  test("are imported by src, and src imports no other package", () => {
    const imported = new Set<string>();
    for (const file of readdirSync("src", { recursive: true, encoding: "utf8" })) {
      if (!file.endsWith(".ts")) continue;
      for (const name of importedBy(readFileSync(join("src", file), "utf8"))) imported.add(name);
    }
    const expected = declared.filter((name) => !(name in withoutImport));
    assert.deepEqual([...imported].sort(), expected.sort());
    for (const name of Object.keys(withoutImport)) assert.ok(declared.includes(name), name);
  });

  test("have licences that leave our users free, theirs included", () => {
    const manifests = [...installed("node_modules")].map(readManifest);
    assert.ok(manifests.length > 200, `only ${manifests.length} packages found`);
    const others = manifests
      .filter((manifest) => !isFree(licenceOf(manifest)))
      .map((manifest) => `${manifest.name}@${manifest.version}: ${licenceOf(manifest)}`);
    assert.deepEqual(others, []);
    assert.equal(isFree("GPL-3.0-only"), false);
    assert.equal(isFree("(MIT AND GPL-3.0-only)"), false);
    assert.equal(isFree("MIT OR GPL-3.0-only"), true);
    assert.equal(isFree(""), false);
  });
});

/** Static imports, `import()`, and packages whose users install them. */
function* importedBy(source: string): Generator<string> {
  const peers = [...source.matchAll(/requirePeer<\w+>\("([^"]+)"/g)].map(([, name = ""]) => name);
  const imports = ts.preProcessFile(source).importedFiles.map(({ fileName }) => fileName);
  for (const specifier of [...imports, ...peers]) {
    if (specifier.startsWith(".") || isBuiltin(specifier)) continue;
    yield /^(?:@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? specifier;
  }
}

/** Every installed package, those inside of others included. */
function* installed(modules: string): Generator<string> {
  for (const entry of readdirSync(modules)) {
    if (entry.startsWith(".")) continue;
    const folders = entry.startsWith("@")
      ? readdirSync(join(modules, entry)).map((name) => join(modules, entry, name))
      : [join(modules, entry)];
    for (const folder of folders) {
      if (existsSync(join(folder, "package.json"))) yield folder;
      if (existsSync(join(folder, "node_modules"))) yield* installed(join(folder, "node_modules"));
    }
  }
}

function licenceOf({ license, licenses }: Manifest): string {
  if (license) return typeof license === "string" ? license : license.type;
  return licenses?.map(({ type }) => type).join(" AND ") ?? "";
}

/** May be used, changed and sold by anybody, with a notice at most. */
const free = new Set([
  "0BSD",
  "Apache-2.0",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "BlueOak-1.0.0",
  "ISC",
  "MIT",
]);

/** An SPDX expression of one level: all of an AND, any of an OR. */
function isFree(expression: string): boolean {
  const plain = expression.replace(/^\((.*)\)$/, "$1");
  return plain.split(" OR ").some((side) => side.split(" AND ").every((name) => free.has(name)));
}
