import { type ChildProcess, execFile, spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { promisify } from "node:util";

export interface BuiltImage {
  /** The folder that is the image's working directory. */
  readonly root: string;
  readonly env: NodeJS.ProcessEnv;
  readonly command: readonly string[];
  readonly healthcheck: readonly string[];
}

interface Stage {
  readonly folder: string;
  readonly env: Record<string, string>;
}

/** What a build does not send, by .dockerignore. */
const IGNORED = new Set(["node_modules", "dist", "gen", ".git"]);

/**
 * Runs the steps of a Dockerfile as shell commands, each stage in a folder of its own, where no
 * Docker is. Throws at a step it does not know or that fails.
 */
export async function runDockerfile(project: string, work: string): Promise<BuiltImage> {
  const stages = new Map<string, Stage>();
  let stage: Stage = { folder: work, env: {} };
  let command: string[] = [];
  let healthcheck: string[] = [];
  const lines = readFileSync(join(project, "Dockerfile"), "utf8").split("\n").filter(Boolean);
  for (const line of lines) {
    const [instruction = "", ...words] = line.split(" ");
    const rest = words.join(" ");
    if (instruction === "FROM") {
      const name = /AS (\w+)/.exec(rest)?.[1] ?? "final";
      stage = { folder: join(work, name), env: {} };
      mkdirSync(stage.folder, { recursive: true });
      stages.set(name, stage);
    } else if (instruction === "ENV") {
      const [name = "", value = ""] = rest.split("=");
      stage.env[name] = value;
    } else if (instruction === "COPY") {
      copy(words, project, stages, stage.folder);
    } else if (instruction === "RUN") {
      const env = { ...process.env, ...stage.env };
      await promisify(execFile)("sh", ["-ec", rest], { cwd: stage.folder, env });
    } else if (instruction === "CMD") {
      command = JSON.parse(rest);
    } else if (instruction === "HEALTHCHECK") {
      healthcheck = JSON.parse(rest.replace("CMD ", ""));
    } else if (!["WORKDIR", "USER", "EXPOSE"].includes(instruction)) {
      throw new Error(`no idea how to run: ${line}`);
    }
  }
  return { root: stage.folder, env: stage.env, command, healthcheck };
}

function copy(words: string[], project: string, stages: Map<string, Stage>, to: string): void {
  const from = /^--from=(\w+)$/.exec(words[0] ?? "")?.[1];
  const stage = from === undefined ? undefined : stages.get(from);
  const [target = ".", ...sources] = (from === undefined ? words : words.slice(1)).reverse();
  for (const source of sources) {
    const path = source.startsWith("/app/")
      ? join(stage?.folder ?? project, source.slice("/app/".length))
      : join(project, source);
    if (!existsSync(path)) throw new Error(`COPY: there is no ${path}`);
    const isDirectoryTarget = target.endsWith("/") && source !== ".";
    const destination = join(to, target, isDirectoryTarget ? basename(path) : "");
    if (stage === undefined) {
      const filter = (file: string) => !IGNORED.has(basename(file));
      cpSync(path, destination, { recursive: true, filter });
    } else {
      // Nothing needs a stage again that was copied from, and packages are thousands of files.
      renameSync(path, destination);
    }
  }
}

/**
 * Takes binaries of other platforms out of a lock file that a registry without them has made: npm ci
 * insists on all it names.
 */
export function dropUnavailable(path: string): void {
  const lock = JSON.parse(readFileSync(path, "utf8")) as {
    packages: Record<string, { optionalDependencies?: Record<string, string> }>;
  };
  for (const { optionalDependencies = {} } of Object.values(lock.packages)) {
    for (const name of Object.keys(optionalDependencies)) {
      if (!(`node_modules/${name}` in lock.packages)) delete optionalDependencies[name];
    }
  }
  writeFileSync(path, JSON.stringify(lock, undefined, 2));
}

/** Starts what the image starts. */
export function startImage({ root, env, command }: BuiltImage, port: string): ChildProcess {
  const [program = "", ...args] = command;
  return spawn(program, args, { cwd: root, env: { ...process.env, ...env, PORT: port } });
}
