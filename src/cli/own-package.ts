import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of the connectum package this code runs from. */
export const packageRoot: string = findRoot();

/** The version of this package. */
export function ownVersion(): string {
  return ownManifest().version;
}

export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly engines: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, unknown>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta: Readonly<Record<string, { readonly optional?: boolean }>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

export function ownManifest(): Manifest {
  return JSON.parse(readFileSync(join(packageRoot, "package.json"), "utf8"));
}

/** A script of this package that runs in a process of its own. */
export function scriptPath(name: string): string {
  return join(packageRoot, "dist/cli", `${name}.js`);
}

// Bundled chunks and sources lie at different depths.
function findRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, "package.json"))) folder = dirname(folder);
  return folder;
}
