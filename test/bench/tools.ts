import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { resolve } from "node:path";

export type Tool = "h2load" | "wrk" | "load";

const installHints: Record<Exclude<Tool, "load">, string> = {
  h2load: "apt-get install nghttp2-client",
  wrk: "apt-get install wrk",
};

/** Where the grpc-go load program is built to. */
export const loadBinary = resolve(".tools/bin/bench-load");

/** Throws one line for every tool that is missing; builds the load program. */
export function requireTools(tools: ReadonlySet<Tool>): void {
  const problems = [...tools].flatMap((tool) => problemWith(tool) ?? []);
  if (problems.length > 0) throw new Error(problems.join("\n"));
}

/** Words to put before a command so that it runs on one core; none where there is no taskset. */
export function pinnedTo(core: number): string[] {
  return canPin() ? ["taskset", "-c", String(core)] : [];
}

export function canPin(): boolean {
  pinning ??= isRunnable("taskset", ["-c", "0,1", "true"]);
  return pinning;
}

let pinning: boolean | undefined;

function problemWith(tool: Tool): string | undefined {
  if (tool === "load") return buildLoad();
  return isRunnable(tool, ["--version"]) ? undefined : `${tool} is missing: ${installHints[tool]}`;
}

function buildLoad(): string | undefined {
  if (!isRunnable("go", ["version"])) {
    return existsSync(loadBinary)
      ? undefined
      : "the load program of test/bench/load is not built: install Go 1.24 or newer (https://go.dev/dl)";
  }
  mkdirSync(resolve(".tools/bin"), { recursive: true });
  execFileSync("go", ["build", "-o", loadBinary, "."], {
    cwd: resolve("test/bench/load"),
    stdio: ["ignore", "ignore", "inherit"],
  });
  return undefined;
}

function isRunnable(command: string, args: string[]): boolean {
  return spawnSync(command, args, { stdio: "ignore" }).error === undefined;
}
