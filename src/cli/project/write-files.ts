import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

export interface FileChanges {
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly same: readonly string[];
}

/** What writing the files of one folder over another would do; names relative, sorted. */
export function compareFolders(from: string, to: string): FileChanges {
  const added: string[] = [];
  const changed: string[] = [];
  const same: string[] = [];
  for (const name of filesBelow(from)) {
    const target = join(to, name);
    if (!existsSync(target)) added.push(name);
    else if (readFileSync(target).equals(readFileSync(join(from, name)))) same.push(name);
    else changed.push(name);
  }
  return { added, changed, same };
}

/** Writes what differs, and nothing else. */
export function copyChanges(from: string, to: string, { added, changed }: FileChanges): void {
  for (const name of [...added, ...changed]) {
    mkdirSync(dirname(join(to, name)), { recursive: true });
    writeFileSync(join(to, name), readFileSync(join(from, name)));
  }
}

/** Every file below a folder, relative to it, sorted. */
export function filesBelow(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory()
        ? filesBelow(path).map((name) => join(entry.name, name))
        : [relative(folder, path)];
    })
    .sort();
}
