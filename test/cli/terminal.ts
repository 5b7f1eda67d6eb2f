import { execFile } from "node:child_process";
import { bin as builtBin } from "./connectum.ts";

export interface TerminalStep {
  /** Text to wait for. */
  readonly expect: string;
  /** Keys to type then; `\r` is Enter, `\u0003` Ctrl-C. */
  readonly send: string;
}

export interface TerminalOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly steps?: readonly TerminalStep[];
  /** Default: the Node that runs the test. */
  readonly node?: string;
  /** Default: the built command. */
  readonly bin?: string;
}

export interface TerminalResult {
  readonly code: number;
  /** Everything that was written, escape sequences included. */
  readonly output: string;
}

/** Runs the built command in a pseudo-terminal of 80 columns, typing answers. */
export function inTerminal(
  args: readonly string[],
  options: TerminalOptions = {},
): Promise<TerminalResult> {
  const { cwd = process.cwd(), env = {}, steps = [] } = options;
  const { node = process.execPath, bin = builtBin } = options;
  const argv = [node, bin, ...args];
  // A person's terminal, also where the tests themselves run without one.
  const terminal = { TERM: "xterm-256color", CI: "", NO_COLOR: "", ...env };
  return new Promise((resolve, reject) => {
    const child = execFile("python3", ["test/cli/pseudo-terminal.py"], (error, stdout) => {
      if (error) reject(error);
      else resolve(JSON.parse(stdout));
    });
    child.stdin?.end(JSON.stringify({ argv, cwd, env: terminal, steps }));
  });
}

/** Text without escape sequences. */
export function plain(output: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with one.
  return output.replace(/\u001b\[[0-9;?]*[A-Za-z]/g, "").replaceAll("\r", "");
}
