import { execFile, spawnSync } from "node:child_process";
import { delimiter, resolve } from "node:path";

const path = [
  resolve(".tools/bin"),
  resolve(".tools/venv/bin"),
  resolve("node_modules/.bin"),
  process.env.PATH,
].join(delimiter);

/**
 * Skip reason for a test that needs a command, or false when it is there. With CI set nothing is
 * skipped: a missing tool fails the test.
 */
export function missing(command: string, probe: string[] = ["--version"]): string | false {
  if (process.env.CI) return false;
  const { error, status } = spawnSync(command, probe, { env: { ...process.env, PATH: path } });
  if (!error && status === 0) return false;
  return `${command} is not usable here; \`npm run tools\` installs it`;
}

export interface Run {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command to its end, tools of `npm run tools` first on the path. */
export function run(command: string, args: string[], timeoutMs = 60_000): Promise<Run> {
  return new Promise((done, reject) => {
    const child = execFile(
      command,
      args,
      { env: { ...process.env, PATH: path }, timeout: timeoutMs, maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => {
        if (error && typeof error.code !== "number") reject(error);
        else done({ status: Number(error?.code ?? 0), stdout, stderr });
      },
    );
    child.stdin?.end();
  });
}
