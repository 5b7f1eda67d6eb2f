import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { describe, test } from "node:test";
import { promisify } from "node:util";

const run = promisify(execFile);

interface SuiteRun {
  readonly code: number;
  /** Names of the tests that passed and that failed. */
  readonly passed: readonly string[];
  readonly failed: readonly string[];
  readonly output: string;
}

/** Runs the bundled suites against a module in a process of their own, as the command line does. */
async function runSuites(module: string): Promise<SuiteRun> {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const entry = `test/testing/servers/${module}`;
  const args = ["dist/cli/bin.js", "test", entry, "--reporter", "tap"];
  const { code, stdout, stderr } = await run(process.execPath, args, {
    env,
    timeout: 60_000,
  }).then(
    (result) => ({ code: 0, ...result }),
    (error: { code: number; stdout: string; stderr: string }) => error,
  );
  const names = (pattern: RegExp) => [...stdout.matchAll(pattern)].map(([, name = ""]) => name);
  return {
    code,
    passed: names(/^ {4}ok \d+ - (.*)$/gm),
    failed: names(/^ {4}not ok \d+ - (.*)$/gm),
    output: stdout + stderr,
  };
}

const contract = [
  "starts and mounts services",
  "is healthy: grpc.health.v1 answers SERVING",
  "reflects every mounted service",
  "refuses garbage, and serves on",
  "drains without losing a call",
];

describe("the bundled suites", () => {
  for (const module of ["greeter.ts", "by-default.ts", "my-server.js"]) {
    test(`pass for a good server, ${module}`, async () => {
      const { code, passed, failed, output } = await runSuites(module);
      assert.deepEqual({ code, passed, failed }, { code: 0, passed: contract, failed: [] }, output);
    });
  }

  test("fail in the named places for a broken one, and say what to do", async () => {
    const { code, passed, failed, output } = await runSuites("broken.ts");
    assert.equal(code, 1);
    assert.deepEqual(passed, contract.slice(0, 1), output);
    assert.deepEqual(failed, contract.slice(1));
    assert.match(output, /add Reflection\(\) of "connectum\/reflection" to `protocols`/);
  });

  test("say what a module must export", async () => {
    const { code, output } = await runSuites("../../../examples/greeter/service.ts");
    assert.equal(code, 1);
    assert.match(output, /export a function buildServer\(\): Server/);
  });
});
