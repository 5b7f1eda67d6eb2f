import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { CliError, messageOf } from "../cli-error.ts";

export interface ProjectManifest {
  readonly name?: string;
  readonly type?: string;
  readonly main?: string;
  readonly imports?: Readonly<Record<string, unknown>>;
}

/** A folder with a package.json, where commands work on somebody's service. */
export class Project {
  readonly root: string;
  readonly manifest: ProjectManifest;

  private constructor(root: string, manifest: ProjectManifest) {
    this.root = root;
    this.manifest = manifest;
  }

  /** The project around a folder; an error says what is missing when there is none. */
  static find(from = process.cwd()): Project {
    for (let folder = resolve(from); ; folder = dirname(folder)) {
      const path = join(folder, "package.json");
      if (existsSync(path)) return new Project(folder, readManifest(path));
      if (folder === dirname(folder)) break;
    }
    throw new CliError(`no package.json in ${resolve(from)} or above`, {
      hint: "go into your project, or make one: npx connectum init",
    });
  }

  path(...parts: string[]): string {
    return resolve(this.root, ...parts);
  }

  has(...parts: string[]): boolean {
    return existsSync(this.path(...parts));
  }

  /** Programs of installed packages first, those of folders above too. */
  binPath(): string {
    const folders: string[] = [];
    for (let folder = this.root; ; folder = dirname(folder)) {
      folders.push(join(folder, "node_modules/.bin"));
      if (folder === dirname(folder)) break;
    }
    return [...folders, process.env.PATH ?? ""].join(delimiter);
  }

  /** The file of an installed program; undefined if it is neither in the project nor on PATH. */
  findBin(name: string): string | undefined {
    const names = process.platform === "win32" ? [`${name}.cmd`, `${name}.exe`] : [name];
    return this.binPath()
      .split(delimiter)
      .flatMap((folder) => names.map((file) => join(folder, file)))
      .find((path) => existsSync(path));
  }

  /** The URL a module of the project gets when it imports `specifier`; undefined if there is none. */
  resolve(specifier: string): string | undefined {
    try {
      const path = createRequire(join(this.root, "package.json")).resolve(specifier);
      return pathToFileURL(path).href;
    } catch {
      return undefined;
    }
  }
}

function readManifest(path: string): ProjectManifest {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (cause) {
    throw new CliError(`${path} is no JSON: ${messageOf(cause)}`, { cause });
  }
}
