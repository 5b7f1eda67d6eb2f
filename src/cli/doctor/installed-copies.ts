import { existsSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { dirname, join, relative } from "node:path";

export interface InstalledCopy {
  readonly version: string;
  /** Relative to the project. */
  readonly path: string;
}

/**
 * Every copy of a package that code of a project can get, the one of the project first: in its
 * node_modules, nested ones, and those of folders above it.
 */
export function installedCopies(root: string, name: string): InstalledCopy[] {
  const real = new Map<string, string>();
  const add = (path: string) => {
    if (existsSync(join(path, "package.json"))) real.set(realpathSync(path), path);
  };
  for (let folder = root; ; folder = dirname(folder)) {
    add(join(folder, "node_modules", name));
    // Those further up are hidden by one further down.
    if (real.size > 0 || folder === dirname(folder)) break;
  }
  for (const folder of nestedModules(join(root, "node_modules"))) add(join(folder, name));
  return [...real].map(([folder, path]) => ({
    version: JSON.parse(readFileSync(join(folder, "package.json"), "utf8")).version,
    path: relative(root, path),
  }));
}

/** The node_modules folders inside of packages. */
function* nestedModules(modules: string): Generator<string> {
  if (!existsSync(modules)) return;
  for (const entry of readdirSync(modules, { withFileTypes: true })) {
    if (!entry.isDirectory() || entry.name.startsWith(".")) continue;
    const path = join(modules, entry.name);
    if (entry.name.startsWith("@")) {
      yield* nestedModules(path);
      continue;
    }
    const nested = join(path, "node_modules");
    if (!existsSync(nested)) continue;
    yield nested;
    yield* nestedModules(nested);
  }
}
