import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { promisify } from "node:util";

const { exports } = JSON.parse(readFileSync("package.json", "utf8")) as { exports: object };
const subpaths = Object.keys(exports).filter((key) => key !== "./package.json");

/** Imports what it is given, in a process of its own, and tells what is there that was not before. */
const observer = `
const globals = () => Reflect.ownKeys(globalThis).map(String);
const listeners = () => process.eventNames().map((name) => name + " " + process.listenerCount(name));
const handles = () => process.getActiveResourcesInfo();
const environment = () => Object.entries(process.env).map(String);
const watched = { globals, listeners, handles, environment };
// Node makes these at the first look, whoever looks.
void [process.stdin, process.stdout, process.stderr, globalThis.Headers];
const look = () => Object.fromEntries(Object.entries(watched).map(([name, see]) => [name, see()]));
const before = look();
await import(process.argv[1]);
await new Promise(setImmediate);
const after = look();
const isNew = (name) => (entry) => !before[name].includes(entry);
const found = Object.keys(watched).map((name) => [name, after[name].filter(isNew(name))]);
process.once("exit", () => process.stderr.write(JSON.stringify(Object.fromEntries(found))));
`;

/** Ends only when the process does, so a timer or a socket that holds it open is a failure. */
async function importAlone(specifier: string) {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    ["--input-type=module", "--eval", observer, specifier],
    { env, timeout: 30_000 },
  );
  return { stdout, stderr };
}

/** Of zod itself, which only the configuration loads. */
const zod = ["__zod_globalConfig", "__zod_globalRegistry"];

describe("an import does nothing but define", () => {
  for (const subpath of subpaths) {
    const specifier = subpath.replace(".", "connectum");
    test(`${specifier}: no output, handle, listener, global or variable`, async () => {
      const { stdout, stderr } = await importAlone(specifier);
      const globals = subpath === "./core/config" ? zod : [];
      const found = { globals, listeners: [], handles: [], environment: [] };
      assert.deepEqual([stdout, JSON.parse(stderr)], ["", found]);
    });
  }

  test("what an import may leave behind is seen", async () => {
    const leftover = `
      console.log("hello");
      globalThis.added = 1;
      process.env.ADDED = "1";
      process.on("warning", () => {});
      setTimeout(() => {}, 50);
    `;
    const { stdout, stderr } = await importAlone(
      `data:text/javascript,${encodeURIComponent(leftover)}`,
    );
    assert.equal(stdout, "hello\n");
    const { globals, listeners, handles, environment } = JSON.parse(stderr);
    assert.deepEqual(globals, ["added"]);
    assert.deepEqual(environment, ["ADDED,1"]);
    assert.ok(listeners.some((name: string) => name.startsWith("warning ")));
    assert.ok(handles.includes("Timeout"));
  });
});
