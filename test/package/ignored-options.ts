import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { optionsByTaker } from "./options/index.ts";

// Runs the proof of every option with that option ignored: the test it names must fail. Usage:
// npm run test:options [-- function or function:option ...]

const LIMIT_MS = 240_000;
/** A test that waits for what an ignored option would do has failed after this time, in milliseconds. */
const timeout = ["--test-timeout", "15000"];
const hook = new URL("./options/ignore-option.mjs", import.meta.url).href;

/** Methods, which cannot be exchanged while the package is loaded. */
const methods = new Set(["server.client", "certificates.issue"]);

const asked = process.argv.slice(2);
const waiting = Object.entries(optionsByTaker)
  .filter(([taker]) => !methods.has(taker))
  .flatMap(([taker, options]) =>
    Object.entries(options).map(([option, proof]) => ({ name: `${taker}:${option}`, proof })),
  )
  .filter(
    ({ name }) => asked.length === 0 || asked.some((part) => `${name}:`.startsWith(`${part}:`)),
  );
const unproven: string[] = [];
await Promise.all(Array.from({ length: availableParallelism() }, work));
console.log(unproven.length === 0 ? "ok" : `NOT OK: ${unproven.join(", ")}`);
process.exit(unproven.length === 0 ? 0 : 1);

async function work(): Promise<void> {
  for (let next = waiting.shift(); next; next = waiting.shift()) {
    const { name, proof } = next;
    const [file, test] = proof;
    const failing = new RegExp(`not ok \\d+ - .*${literal(test)}`);
    const alone = await run(name, [file, "--test-name-pattern", literal(test)]);
    const isProven =
      failing.test(alone) ||
      alone.includes("testTimeoutFailure") ||
      // Some versions of Node skip the subtests of a test that is chosen by its name.
      failing.test(await run(name, [file]));
    if (!isProven) unproven.push(name);
    console.log(isProven ? "ok" : "NOT OK", name);
  }
}

function literal(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

function run(option: string, [file = "", ...chosen]: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    const child = spawn(
      process.execPath,
      [...["--import", "tsx", "--test", "--test-reporter", "tap"], ...timeout, ...chosen, file],
      {
        // Processes that a test starts ignore the option as well.
        env: { ...process.env, CONNECTUM_IGNORED_OPTION: option, NODE_OPTIONS: `--import=${hook}` },
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
