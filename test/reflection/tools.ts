import { execFile, execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { promisify } from "node:util";
import { fromBinary } from "@bufbuild/protobuf";
import { type FileDescriptorSet, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";

const run = promisify(execFile);

export interface Output {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The path of a program, from `.tools/bin` or else PATH; undefined if it is not there. */
export function findTool(name: string): string | undefined {
  const folders = [resolve(".tools/bin"), ...(process.env.PATH ?? "").split(delimiter)];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

/** Runs a program to its end; a failure is an output too. */
export async function runTool(path: string, args: readonly string[]): Promise<Output> {
  try {
    return { code: 0, ...(await run(path, args, { timeout: 30_000 })) };
  } catch (error) {
    const { code, stdout, stderr } = error as Output;
    return { code, stdout, stderr };
  }
}

export const bufPath = resolve("node_modules/.bin/buf");

/** What `buf build` makes of one file and its imports. */
export function bufBuild(module: string, path: string): FileDescriptorSet {
  const args = ["build", module, "--path", path, "--as-file-descriptor-set", "-o", "-"];
  const bytes = execFileSync(bufPath, [...args, "--exclude-source-info"], { stdio: "pipe" });
  return fromBinary(FileDescriptorSetSchema, bytes);
}
