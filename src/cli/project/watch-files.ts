import { type FSWatcher, readdirSync, statSync, watch } from "node:fs";
import { join, relative } from "node:path";

/** Folders nobody writes sources in. */
const IGNORED = new Set(["node_modules", "dist", "build", "coverage"]);

/** Editors write a file in several steps. */
const SETTLE_MS = 60;

export interface WatchOptions {
  /** Whether a change of this file, relative to the root, matters. */
  readonly isWanted: (path: string) => boolean;
  /** Folders to leave alone, relative to the root. */
  readonly ignore?: readonly string[];
  /** Called with what changed; changes that come while it runs are told after it. */
  readonly onChange: (paths: readonly string[]) => Promise<void> | void;
}

/** Every file of a project that people write, relative to its root. */
export function listFiles(root: string, folder = root): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (entry.isFile()) return [relative(root, join(folder, entry.name))];
    return entry.isDirectory() && !isIgnored(entry.name)
      ? listFiles(root, join(folder, entry.name))
      : [];
  });
}

/**
 * Watches a project. Each folder has a watcher of its own, since Node 18 cannot watch recursively on
 * Linux; folders that appear are watched too.
 */
export function watchFiles(root: string, options: WatchOptions): { close(): void } {
  const watcher = new TreeWatcher(root, options);
  return { close: () => watcher.close() };
}

class TreeWatcher {
  readonly #root: string;
  readonly #options: WatchOptions;
  readonly #folders = new Map<string, FSWatcher>();
  readonly #changed = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #isBusy = false;

  constructor(root: string, options: WatchOptions) {
    this.#root = root;
    this.#options = options;
    this.#watch(root);
  }

  close(): void {
    clearTimeout(this.#timer);
    for (const watcher of this.#folders.values()) watcher.close();
    this.#folders.clear();
  }

  #watch(folder: string): void {
    const name = relative(this.#root, folder);
    if (this.#folders.has(folder) || this.#options.ignore?.includes(name)) return;
    const watcher = watch(folder, (_, file) => {
      if (file !== null) this.#onEvent(join(folder, file));
    });
    // The folder went away; so did what was in it.
    watcher.on("error", () => this.#forget(folder));
    this.#folders.set(folder, watcher);
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (entry.isDirectory() && !isIgnored(entry.name)) this.#watch(join(folder, entry.name));
    }
  }

  #forget(folder: string): void {
    this.#folders.get(folder)?.close();
    this.#folders.delete(folder);
  }

  #onEvent(path: string): void {
    const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory();
    if (isFolder) {
      if (this.#folders.has(path) || isIgnored(path.slice(path.lastIndexOf("/") + 1))) return;
      this.#watch(path);
      // Files may have been there before the watcher was.
      for (const file of listFiles(path)) this.#note(join(path, file));
      return;
    }
    if (isFolder === undefined) this.#forget(path);
    this.#note(path);
  }

  #note(path: string): void {
    const name = relative(this.#root, path);
    const isOutput = this.#options.ignore?.some((folder) => name.startsWith(`${folder}/`));
    if (isOutput || !this.#options.isWanted(name)) return;
    this.#changed.add(name);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isBusy) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#tell(), SETTLE_MS);
  }

  async #tell(): Promise<void> {
    const paths = [...this.#changed];
    this.#changed.clear();
    this.#isBusy = true;
    await this.#options.onChange(paths);
    this.#isBusy = false;
    if (this.#changed.size > 0) this.#schedule();
  }
}

function isIgnored(name: string): boolean {
  return IGNORED.has(name) || name.startsWith(".");
}
