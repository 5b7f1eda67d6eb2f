import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { once } from "node:events";

const children = new Set<ChildProcess>();

process.once("exit", () => {
  for (const child of children) child.kill("SIGKILL");
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.once(signal, () => process.exit(1));
}

/** Starts a process that does not outlive this one. */
export function startChild(command: string, args: string[], options: SpawnOptions): ChildProcess {
  const child = spawn(command, args, options);
  children.add(child);
  child.once("exit", () => children.delete(child));
  child.once("error", () => children.delete(child));
  return child;
}

/** Resolves with how the process ended; rejects, and kills it, when that takes longer. */
export async function exitOf(child: ChildProcess, limitMs: number): Promise<number | string> {
  if (child.exitCode === null && child.signalCode === null) {
    const limit = AbortSignal.timeout(limitMs);
    await once(child, "exit", { signal: limit }).catch((cause) => {
      child.kill("SIGKILL");
      throw new Error(`a process did not end within ${limitMs} ms`, { cause });
    });
  }
  return child.exitCode ?? child.signalCode ?? "unknown";
}

/** Resolves when the process prints this line; rejects if it ends first or takes longer. */
export function lineOf(child: ChildProcess, line: string, limitMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let seen = "";
    const fail = (reason: string) => {
      clearTimeout(timer);
      reject(new Error(`${reason}; no "${line}" in: ${seen}`));
    };
    const timer = setTimeout(() => fail(`waited ${limitMs} ms`), limitMs);
    child.once("exit", (code, signal) => fail(`ended with ${code ?? signal}`));
    child.once("error", (error) => fail(error.message));
    child.stdout?.on("data", (chunk: Buffer) => {
      seen += chunk;
      if (!seen.split("\n").includes(line)) return;
      clearTimeout(timer);
      resolve();
    });
  });
}
