import { spawn } from "node:child_process";
import { CliError, codeOf } from "../cli-error.ts";

export interface ProgramResult {
  readonly code: number;
  readonly output: string;
}

export interface RunOptions {
  readonly cwd: string;
  readonly env?: NodeJS.ProcessEnv;
}

/** Runs a program to its end; what it says on both streams is one text. */
export function runProgram(
  path: string,
  args: readonly string[],
  { cwd, env = process.env }: RunOptions,
): Promise<ProgramResult> {
  return new Promise((resolve, reject) => {
    const isScript = process.platform === "win32" && path.endsWith(".cmd");
    const child = spawn(path, args, {
      cwd,
      env,
      shell: isScript,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8");
      stream.on("data", (chunk: string) => {
        output += chunk;
      });
    }
    child.once("error", (cause) => {
      reject(new CliError(`cannot run ${path} (${codeOf(cause)})`, { cause }));
    });
    child.once("close", (code) => resolve({ code: code ?? 1, output: output.trim() }));
  });
}
