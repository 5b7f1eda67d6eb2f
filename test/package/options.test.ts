import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { createServer } from "connectum/core";
import { coreOptions } from "./options/core.ts";
import { optionsByTaker } from "./options/index.ts";

// That the lists are complete is held by their types; that a test fails without its option is shown by
// npm run test:options.
for (const [taker, options] of Object.entries(optionsByTaker)) {
  describe(`every option of ${taker}() names the test that fails when it is ignored`, () => {
    for (const [option, [file, name]] of Object.entries(options)) {
      test(option, () => {
        const source = readFileSync(file, "utf8");
        assert.ok(source.includes(name), `${file} has no test "${name}"`);
      });
    }
  });
}

test("createServer() takes the options of the list and no others", () => {
  const own = Object.keys(coreOptions.createServer);
  const topLevel = [...new Set(own.map((name) => name.split(".")[0] as string))];
  const absent = Object.fromEntries(topLevel.map((name) => [name, undefined]));
  createServer({ ...absent, services: [] });
  assert.throws(() => createServer({ services: [], ...{ other: 1 } }), /no option "other"/);
});
