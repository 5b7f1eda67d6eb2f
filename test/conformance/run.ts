import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const VERSION = "v1.0.5";
const PACKAGE = "connectrpc.com/conformance/cmd/connectconformance";
const USAGE =
  "npm run conformance -- [--chain] [--node <path>] [--run <pattern>]... [-- <runner options>]";

// A full run with fewer cases has lost some, for example to a typo in config.yaml.
const MIN_CASES = 5_250;
const MIN_CASES_WITH_ZSTD = 6_850;
// The runner waits for ever for a server that stops answering.
const LIMIT_MS = 10 * 60_000;

process.chdir(fileURLToPath(new URL("../..", import.meta.url)));
process.exitCode = await main();

async function main(): Promise<number> {
  const { values, positionals: runnerOptions } = parseArgs({
    allowPositionals: true,
    options: {
      help: { type: "boolean" },
      // Mounts the default interceptors.
      chain: { type: "boolean", default: false },
      node: { type: "string", default: process.execPath },
      run: { type: "string", multiple: true, default: [] },
    },
  });
  const { chain, help, node = process.execPath, run = [] } = values;
  if (help) {
    console.log(USAGE);
    return 0;
  }
  const runner = findRunner() ?? installRunner();
  if (!runner) return 1;

  const zstd = evaluate(node, "typeof require('node:zlib').createZstdCompress") === "function";
  console.log(
    `Server on Node ${evaluate(node, "process.version")} ${zstd ? "with" : "without"} zstd`,
  );
  const config = writeConfig(zstd);
  const started = Date.now();
  const { status, output } = await runToEnd(runner, [
    ...["--mode", "server", "--conf", join(config, "config.yaml")],
    ...["--known-failing", "@test/conformance/known-failing.txt"],
    ...run.flatMap((pattern) => ["--run", pattern]),
    ...runnerOptions,
    ...["--", node, "--import", "tsx", "test/conformance/server.ts"],
    ...(chain ? ["--chain"] : []),
  ]);
  rmSync(config, { recursive: true });
  console.log(`Exit status ${status} after ${Math.round((Date.now() - started) / 1000)} s`);

  const cases = Number(/^Total cases: (\d+)/m.exec(output)?.[1] ?? 0);
  const expected = zstd ? MIN_CASES_WITH_ZSTD : MIN_CASES;
  const isFullRun = run.length === 0 && runnerOptions.length === 0;
  if (status === 0 && isFullRun && cases < expected) {
    console.error(`Only ${cases} cases ran, at least ${expected} were expected: see config.yaml`);
    return 1;
  }
  return status;
}

function findRunner(): string | undefined {
  const folders = [resolve(".tools/bin"), ...(process.env.PATH ?? "").split(delimiter)];
  return folders
    .map((folder) => join(folder, "connectconformance"))
    .find((path) => {
      const { stdout } = spawnSync(path, ["--version"], { encoding: "utf8" });
      return stdout?.trim().endsWith(VERSION);
    });
}

function installRunner(): string | undefined {
  const GOBIN = resolve(".tools/bin");
  console.log(`Installing ${PACKAGE}@${VERSION} into .tools/bin`);
  const { status } = spawnSync("go", ["install", `${PACKAGE}@${VERSION}`], {
    env: { ...process.env, GOBIN },
    stdio: "inherit",
  });
  if (status === 0) return join(GOBIN, "connectconformance");
  console.error(
    `connectconformance ${VERSION} is neither in .tools/bin nor in PATH, and installing it failed. ` +
      "Install Go and run this again, or put the runner's release binary into .tools/bin.",
  );
  return undefined;
}

function evaluate(node: string, expression: string): string {
  const { stdout, error } = spawnSync(node, ["-p", expression], { encoding: "utf8" });
  if (error) throw new Error(`--node ${node} does not run`, { cause: error });
  return stdout.trim();
}

/** Returns a new folder with the config.yaml that fits the server's Node. */
function writeConfig(zstd: boolean): string {
  const folder = mkdtempSync(join(tmpdir(), "conformance-"));
  const withoutZstd = "exclude_cases:\n  - compression: COMPRESSION_ZSTD\n";
  const everything = readFileSync("test/conformance/config.yaml", "utf8");
  writeFileSync(join(folder, "config.yaml"), zstd ? everything : everything + withoutZstd);
  return folder;
}

/** Runs in a process group of its own, so that the servers end with a runner that is stuck. */
async function runToEnd(
  command: string,
  args: string[],
): Promise<{ status: number; output: string }> {
  const child = spawn(command, args, { detached: true, stdio: ["ignore", "pipe", "inherit"] });
  const closed = once(child, "close");
  const killGroup = () => child.pid && process.kill(-child.pid, "SIGKILL");
  const timer = setTimeout(() => {
    console.error(`The run did not end within ${LIMIT_MS / 60_000} minutes, see --vv and --trace`);
    killGroup();
  }, LIMIT_MS);
  process.once("SIGINT", killGroup).once("SIGTERM", killGroup);
  let output = "";
  for await (const chunk of child.stdout.setEncoding("utf8")) {
    process.stdout.write(chunk);
    output += chunk;
  }
  clearTimeout(timer);
  const [status] = (await closed) as [number | null];
  return { status: status ?? 1, output };
}
