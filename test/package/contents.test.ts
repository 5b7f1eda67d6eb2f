import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { before, describe, test } from "node:test";

/** What is published, and why; a file that no line explains is refused. */
const reasons: readonly (readonly [RegExp, string])[] = [
  [/^package\.json$/, "npm"],
  [/^README\.md$/, "the page of the package"],
  [/^LICENSE$/, "Apache-2.0 asks for it"],
  [/^CHANGELOG\.md$/, "what changes with an update"],
  [/^dist\/(?:[a-z]+\/)+index\.js$/, "the subpaths"],
  [/^dist\/(?:[a-z]+\/)+index\.d\.ts$/, "their types"],
  [/^dist\/[a-z-]+-[\w-]{8}\.d\.ts$/, "types that subpaths share"],
  [/^dist\/cli\/(?:bin|dev-child|inspect-server|run-suites)\.js$/, "the command and its children"],
  [/^dist\/chunk-[A-Z0-9]{8}\.js$/, "modules that subpaths share"],
  [/^dist\/[a-z_-]+-[A-Z0-9]{8}\.js$/, "commands, and what else is loaded when it is needed"],
  [/^dist\/.*\.js\.map$/, "stack traces in the terms of the source, which is in the maps"],
  [/^proto\/connectum\/auth\/v1\/options\.proto$/, "schemas of users import it"],
  [/^proto\/grpc\/.*\.proto$/, "clients of health and reflection are generated from them"],
];

interface Packed {
  readonly unpackedSize: number;
  readonly files: readonly { readonly path: string; readonly size: number }[];
}

describe("npm pack", () => {
  let packed: Packed;
  let paths: string[];
  before(() => {
    const output = execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    [packed] = JSON.parse(output) as [Packed];
    paths = packed.files.map(({ path }) => path);
  });

  test("has no file without a reason, and no reason without a file", () => {
    const unexplained = paths.filter((path) => !reasons.some(([pattern]) => pattern.test(path)));
    assert.deepEqual(unexplained, []);
    const idle = reasons.filter(([pattern]) => !paths.some((path) => pattern.test(path)));
    assert.deepEqual(idle, []);
  });

  test("has every file that package.json points to", () => {
    const { exports, bin } = JSON.parse(readFileSync("package.json", "utf8")) as {
      exports: Record<string, string | { types: string; default: string }>;
      bin: Record<string, string>;
    };
    const targets = [...Object.values(exports), ...Object.values(bin)].flatMap((target) =>
      typeof target === "string" ? [target] : [target.types, target.default],
    );
    const missing = targets.filter((target) => !paths.includes(target.replace("./", "")));
    assert.deepEqual(missing, []);
  });

  test("has maps that carry their sources and name no machine", () => {
    const maps = paths.filter((path) => path.endsWith(".map"));
    for (const path of maps) {
      const { sources, sourcesContent } = JSON.parse(readFileSync(path, "utf8")) as {
        sources: string[];
        sourcesContent?: (string | null)[];
      };
      assert.equal(sourcesContent?.filter((text) => text !== null).length, sources.length, path);
      for (const source of sources) assert.match(source, /^(?:\.\.\/)+src\//, path);
    }
  });
});
