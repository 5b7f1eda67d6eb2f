import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const readme = readFileSync("README.md", "utf8");

test("the error table names every code of ConnectumError and no other", () => {
  const source = readFileSync("src/core/errors.ts", "utf8");
  const [union = ""] = /type ConnectumErrorCode =[^;]+/.exec(source) ?? [];
  const codes = [...union.matchAll(/"([A-Z_]+)"/g)].map(([, code]) => code);
  const [, section = ""] = readme.split("## Errors for developers");
  const documented = [...section.matchAll(/^\| `([A-Z_]+)` \|/gm)].map(([, code]) => code);
  assert.ok(codes.length > 10);
  assert.deepEqual(documented, codes);
});
