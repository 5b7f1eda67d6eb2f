import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { before, describe, test } from "node:test";

describe("a suite fails where a part breaks its promise, and nowhere else:", () => {
  const failed = new Map<string, string[]>();

  before(() => {
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const file = "test/testing/scenarios/bad-parts.ts";
    const args = ["--import", "tsx", "--test-reporter", "tap", file];
    const { stdout } = spawnSync(process.execPath, args, {
      env,
      encoding: "utf8",
      timeout: 60_000,
    });
    let names: string[] = [];
    for (const line of stdout.split("\n")) {
      const [, suite] = /^# Subtest: (.*)$/.exec(line) ?? [];
      const [, test] = /^ {4}not ok \d+ - (.*)$/.exec(line) ?? [];
      if (suite !== undefined) {
        names = [];
        failed.set(suite, names);
      }
      if (test !== undefined) names.push(test);
    }
  });

  test("a resolver that knows what it should not", () => {
    assert.deepEqual(failed.get("resolver that knows what it should not"), [
      "answers null for other.v1.Service",
    ]);
  });

  test("a resolver that knows nothing", () => {
    assert.deepEqual(failed.get("resolver that knows nothing"), [
      "finds one.v1.Service at once, as a transport",
    ]);
  });

  test("a protocol that answers no path, beside the service it needs", () => {
    assert.deepEqual(failed.get("protocol that answers no path"), ["answers /version"]);
  });

  test("a protocol that takes every path", () => {
    assert.deepEqual(failed.get("protocol that takes every path"), [
      "leaves alone what is not its own: an unknown path is 404",
    ]);
  });

  test("a server of nothing, under the name it was given", () => {
    assert.equal(failed.get("a server of nothing")?.[0], "starts and mounts services");
  });
});
