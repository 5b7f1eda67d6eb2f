import assert from "node:assert/strict";
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { test } from "node:test";
import ts from "typescript";

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

test("every ts block of the README is valid TypeScript against the built package", (t) => {
  const blocks = [...readme.matchAll(/^```ts\n([\s\S]*?)^```/gm)].map(([, code = ""]) => code);
  assert.ok(blocks.length > 0);
  // Inside the repository, so that the package resolves itself.
  const directory = resolve(".tools/readme");
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  t.after(() => rmSync(directory, { recursive: true }));
  cpSync("examples/greeter/gen", join(directory, "gen"), { recursive: true });
  const files = blocks.map((code, index) => {
    const file = join(directory, `block-${index + 1}.ts`);
    writeFileSync(file, `${code}\nexport {};\n`);
    return file;
  });
  const { config } = ts.readConfigFile("tsconfig.json", ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent({ ...config, include: [] }, ts.sys, ".");
  const program = ts.createProgram(files, options);
  const problems = ts.getPreEmitDiagnostics(program).map(({ file, messageText }) => {
    return `${file?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, "\n")}`;
  });
  assert.deepEqual(problems, []);
});
