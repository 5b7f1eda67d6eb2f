import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { after, describe, test } from "node:test";
import { promisify } from "node:util";
import ts from "typescript";
import { codeBlocks, readmes } from "./markdown.ts";

// Inside the repository, so that the package resolves itself.
const directory = mkdtempSync(resolve("test/package/.blocks-"));
after(() => rmSync(directory, { recursive: true }));
cpSync("examples/greeter/gen", join(directory, "gen"), { recursive: true });
const blocks = readmes()
  .flatMap((file) => codeBlocks(file, "ts"))
  .map(({ name, code }) => {
    const file = join(directory, `${name.replaceAll(/[^\w]+/g, "-")}.ts`);
    writeFileSync(file, `${code}\nexport {};\n`);
    return { name, code, file };
  });

describe("the ts blocks of every README", { concurrency: 2 }, () => {
  test("there are some", () => {
    assert.ok(blocks.filter(({ name }) => name.startsWith("README.md:")).length >= 10);
  });

  test("are valid TypeScript against the built package", () => {
    const { config } = ts.readConfigFile("tsconfig.json", ts.sys.readFile);
    const { options } = ts.parseJsonConfigFileContent({ ...config, include: [] }, ts.sys, ".");
    // Declarations of dependencies are what `npm run typecheck` checks.
    const program = ts.createProgram(
      blocks.map(({ file }) => file),
      { ...options, skipLibCheck: true },
    );
    const problems = ts.getPreEmitDiagnostics(program).map(({ file, messageText }) => {
      const name = blocks.find((block) => block.file === file?.fileName)?.name ?? file?.fileName;
      return `${name}: ${ts.flattenDiagnosticMessageText(messageText, "\n")}`;
    });
    assert.deepEqual(problems, []);
  });

  for (const { name, file } of blocks) {
    test(`${name} runs, and ends by itself`, async () => {
      // A variable of the machine that runs the tests must not decide what a block does.
      const { OTEL_EXPORTER_OTLP_ENDPOINT: _, NODE_TEST_CONTEXT: __, ...env } = process.env;
      await promisify(execFile)(
        process.execPath,
        ["--import", "tsx", "test/package/run-block.ts", file],
        { env, timeout: 60_000 },
      );
    });
  }
});
