import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

interface LockedPackage {
  readonly resolved?: string;
  readonly optionalDependencies?: Record<string, string>;
}

const lock = JSON.parse(readFileSync("package-lock.json", "utf8")) as {
  packages: Record<string, LockedPackage>;
};

test("the lock file names no registry", () => {
  const resolved = Object.values(lock.packages).filter(({ resolved }) => resolved !== undefined);
  assert.deepEqual(resolved, []);
});

test("the lock file has the binaries of every platform, or npm ci fails", () => {
  const missing: string[] = [];
  for (const [path, { optionalDependencies = {} }] of Object.entries(lock.packages)) {
    for (const name of Object.keys(optionalDependencies)) {
      const nested = `${path}/node_modules/${name}`;
      const beside = `${path.slice(0, path.lastIndexOf("node_modules/"))}node_modules/${name}`;
      const isThere = [nested, beside, `node_modules/${name}`].some((key) => key in lock.packages);
      if (!isThere) missing.push(`${path}: ${name}`);
    }
  }
  assert.deepEqual(missing, []);
});
