import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";

// node:test registers and reports at exit as soon as something loads it.
const loads = (subpath: string) => {
  const program = `await import("${subpath}"); console.log(process.moduleLoadList.includes("NativeModule test"))`;
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const args = ["--input-type=module", "--eval", program];
  return execFileSync(process.execPath, args, { encoding: "utf8", env }).startsWith("true");
};

test("importing connectum/testing does not load node:test", () => {
  assert.equal(loads("connectum/testing"), false);
});

test("importing connectum/testing/parity does", () => {
  assert.equal(loads("connectum/testing/parity"), true);
});
