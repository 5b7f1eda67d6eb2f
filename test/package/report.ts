import { execFileSync } from "node:child_process";
import { lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

// What it costs to install the package: packs it, installs it into an empty project as a user would,
// and counts what is there.

interface Packed {
  readonly filename: string;
  readonly size: number;
  readonly unpackedSize: number;
  readonly files: readonly { readonly path: string; readonly size: number }[];
}

interface Installed {
  readonly path: string;
  readonly version: string;
  readonly bytes: number;
}

const kinds = [
  ["code", /\.js$/],
  ["source maps", /\.map$/],
  ["types", /\.d\.ts$/],
  ["other", /(?<!\.js|\.map|\.d\.ts)$/],
] as const;

const npm = (args: string[], cwd = ".") =>
  execFileSync("npm", args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });

const work = mkdtempSync(join(tmpdir(), "connectum-report-"));
try {
  const output = npm(["pack", "--json", "--ignore-scripts", "--pack-destination", work]);
  const [packed] = JSON.parse(output) as [Packed];
  console.log(`package: ${kib(packed.size)} packed, ${kib(packed.unpackedSize)} unpacked`);
  for (const [kind, pattern] of kinds) {
    const files = packed.files.filter(({ path }) => pattern.test(path));
    const bytes = files.reduce((sum, { size }) => sum + size, 0);
    console.log(`  ${kind.padEnd(12)} ${String(files.length).padStart(4)} files ${kib(bytes)}`);
  }

  writeFileSync(join(work, "package.json"), '{ "name": "user", "private": true }');
  npm(["install", "--no-audit", "--no-fund", join(work, packed.filename)], work);
  const installed = installedIn(work).sort((one, other) => other.bytes - one.bytes);
  const total = installed.reduce((sum, { bytes }) => sum + bytes, 0);
  console.log(
    `installed: ${installed.length} packages, ${mib(total)}, peers included; the largest:`,
  );
  for (const { path, version, bytes } of installed.slice(0, 12)) {
    console.log(`  ${mib(bytes).padStart(9)}  ${path}@${version}`);
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}

function installedIn(project: string): Installed[] {
  const lock = join(project, "node_modules/.package-lock.json");
  const { packages } = JSON.parse(readFileSync(lock, "utf8")) as {
    packages: Record<string, { version: string }>;
  };
  return Object.entries(packages).map(([path, { version }]) => ({
    path: path.replace("node_modules/", ""),
    version,
    bytes: bytesOf(join(project, path)),
  }));
}

/** Packages inside of a package are counted by themselves. */
function bytesOf(path: string): number {
  const status = lstatSync(path);
  if (!status.isDirectory()) return status.size;
  return readdirSync(path)
    .filter((name) => name !== "node_modules")
    .reduce((sum, name) => sum + bytesOf(join(path, name)), 0);
}

function kib(bytes: number): string {
  return `${Math.round(bytes / 1024)} KiB`.padStart(9);
}

function mib(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}
