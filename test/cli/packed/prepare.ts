import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface PackedCommand {
  /** A folder for everything. */
  readonly work: string;
  readonly tarball: string;
  /** The command, installed from the tarball by npm. */
  readonly bin: string;
  remove(): void;
}

/** Packs the built package and installs it into a folder of its own, as npx does. */
export function packCommand(): PackedCommand {
  const work = mkdtempSync(join(tmpdir(), "connectum-packed-"));
  const launcher = join(work, "launcher");
  mkdirSync(launcher);
  const pack = ["pack", "--json", "--ignore-scripts", "--pack-destination", work];
  const [{ filename }] = JSON.parse(execFileSync("npm", pack, { encoding: "utf8", stdio: QUIET }));
  const tarball = join(work, filename);
  npmInstall(launcher, tarball);
  const bin = join(launcher, "node_modules/connectum/dist/cli/bin.js");
  return { work, tarball, bin, remove: () => rmSync(work, { recursive: true, force: true }) };
}

export function npmInstall(cwd: string, ...packages: string[]): void {
  const args = ["install", "--prefer-offline", "--no-audit", "--no-fund", ...packages];
  execFileSync("npm", args, { cwd, stdio: QUIET });
}

const QUIET: ["ignore", "pipe", "ignore"] = ["ignore", "pipe", "ignore"];
