import { type ChildProcess, spawn } from "node:child_process";
import { resolve } from "node:path";

export const bin = resolve("dist/cli/bin.js");

export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  readonly cwd?: string;
  /** Standard input; default none. */
  readonly input?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly node?: string;
}

/** Runs the built command to its end, as a person would. */
export async function connectum(args: string[], options: CliOptions = {}): Promise<CliResult> {
  const { child, result } = startConnectum(args, options);
  child.stdin?.end(options.input ?? "");
  return result;
}

/** Starts the built command; `result` settles when it has ended. */
export function startConnectum(args: string[], { cwd, env = {}, node }: CliOptions = {}) {
  const child = spawn(node ?? process.execPath, [bin, ...args], {
    cwd,
    env: { ...process.env, ...env },
    timeout: 60_000,
  });
  return { child, result: resultOf(child) };
}

function resultOf(child: ChildProcess): Promise<CliResult> {
  const text = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name]?.setEncoding("utf8").on("data", (chunk: string) => {
      text[name] += chunk;
    });
  }
  return new Promise((done, reject) => {
    child.once("error", reject);
    child.once("close", (code) => done({ code, ...text }));
  });
}

/** The JSON lines a command printed. */
export function jsonLines(text: string): unknown[] {
  return text
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}

/** Resolves with the first line of output that matches, and fails when the program ends before. */
export function lineOf(child: ChildProcess, pattern: RegExp): Promise<string> {
  return new Promise((done, reject) => {
    let text = "";
    const look = (chunk: Buffer | string) => {
      text += chunk;
      const line = text.split("\n").find((candidate) => pattern.test(candidate));
      if (line !== undefined) done(line);
    };
    child.stdout?.on("data", look);
    child.stderr?.on("data", look);
    child.once("close", () => reject(new Error(`no line matches ${pattern} in:\n${text}`)));
  });
}
