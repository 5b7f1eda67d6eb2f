import { spawn } from "node:child_process";
import { coreOptions } from "./options/core.ts";

// Runs the proof of every option with that option ignored: the test it names must fail, and pass with
// the option. Usage: npm run test:options [-- option ...]

const LIMIT_MS = 240_000;
const chosen = process.argv.slice(2);
const options = Object.entries(coreOptions).filter(
  ([name]) => chosen.length === 0 || chosen.includes(name),
);
const unproven: string[] = [];
for (const [option, [file, name]] of options) {
  // Options of a call are no options of the server, so nothing can be taken away here.
  if (/^(createLocalTransport|client)\./.test(option)) continue;
  const pattern = new RegExp(`not ok \\d+ - .*${literal(name)}`);
  const output = await run(option, file);
  const isProven = pattern.test(output);
  if (!isProven) unproven.push(option);
  console.log(isProven ? "ok" : "NOT OK", option);
}
console.log(unproven.length === 0 ? "ok" : `NOT OK: ${unproven.join(", ")}`);
process.exit(unproven.length === 0 ? 0 : 1);

function literal(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

function run(option: string, file: string): Promise<string> {
  return new Promise((resolve) => {
    const child = spawn(
      process.execPath,
      [
        ...["--import", "./test/package/options/ignore-option.mjs", "--import", "tsx"],
        ...["--test", "--test-reporter", "tap", file],
      ],
      {
        env: { ...process.env, CONNECTUM_IGNORED_OPTION: option },
        stdio: ["ignore", "pipe", "ignore"],
        timeout: LIMIT_MS,
      },
    );
    let output = "";
    child.stdout.on("data", (chunk) => {
      output += chunk;
    });
    child.once("close", () => resolve(output));
  });
}
