import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { resolve } from "node:path";

export const nodeMajors = [18, 20, 22, 24, 26] as const;

/** The path of a Node binary of this major version, installed from npm into .tools when missing. */
export function nodeBinary(major: number): string {
  const prefix = resolve(".tools/node", String(major));
  const name = `node-${process.platform === "win32" ? "win" : process.platform}-${process.arch}`;
  const binary = resolve(prefix, "node_modules", name, "bin/node");
  if (!existsSync(binary)) {
    execFileSync("npm", ["install", "--no-save", "--prefix", prefix, `${name}@${major}`], {
      stdio: ["ignore", "ignore", "inherit"],
    });
  }
  return binary;
}
