import { existsSync, readFileSync, realpathSync } from "node:fs";
import { dirname, join, relative } from "node:path";

export interface InstalledCopy {
  readonly version: string;
  /** Relative to the project. */
  readonly path: string;
}

interface PackageJson {
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

/**
 * Every copy of a package that the project or one of its dependencies loads, the project's own first.
 * Development dependencies do not count: a code generator may have its own.
 */
export function installedCopies(root: string, name: string): InstalledCopy[] {
  const copies = new Set<string>();
  const own = findPackage(root, name);
  if (own !== undefined) copies.add(own);
  const seen = new Set<string>();
  const visit = (folder: string) => {
    if (seen.has(folder)) return;
    seen.add(folder);
    const { dependencies, optionalDependencies, peerDependencies } = read(folder);
    const all = { ...dependencies, ...optionalDependencies, ...peerDependencies };
    for (const dependency of Object.keys(all)) {
      const found = findPackage(folder, dependency);
      if (found === undefined) continue;
      if (dependency === name) copies.add(found);
      visit(found);
    }
  };
  visit(root);
  return [...copies].map((folder) => ({
    version: read(folder).version,
    path: relative(realpathSync(root), folder),
  }));
}

/** The folder Node takes a package from for code in `from`. */
function findPackage(from: string, name: string): string | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    const path = join(folder, "node_modules", name);
    if (existsSync(join(path, "package.json"))) return realpathSync(path);
    if (folder === dirname(folder)) return undefined;
  }
}

function read(folder: string): PackageJson {
  return JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
}
