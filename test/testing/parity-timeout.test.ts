import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";

test("transportParityTest fails a scenario that takes longer than timeoutMs, and stops its server", () => {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const file = "test/testing/scenarios/never-ends.ts";
  const args = ["--import", "tsx", "--test-reporter", "tap", "--test", file];
  const { status, signal, stdout } = spawnSync(process.execPath, args, {
    env,
    encoding: "utf8",
    timeout: 30_000,
    killSignal: "SIGKILL",
  });
  // A server that runs on would keep the process alive until it is killed.
  assert.deepEqual({ status, signal }, { status: 1, signal: null }, stdout);
  assert.match(stdout, /not ok 1 - never ends[\s\S]*timed out after 50ms/);
});
