import { resolve } from "node:path";
import { build, type Metafile, type OutputFile } from "esbuild";

export interface BundlePart {
  /** Folders of ours, as `core` or `auth`, of which at least one statement is in. */
  readonly folders: readonly string[];
  readonly packages: readonly string[];
  readonly bytes: number;
}

export interface BundleContents {
  /** Loaded with the application. */
  readonly entry: BundlePart;
  /** Behind an `import()`, so loaded when it is needed. */
  readonly later: BundlePart;
  readonly text: string;
}

/** Bundles the code as an application would be: for Node, every package in it, split at `import()`. */
export async function bundle(code: string): Promise<BundleContents> {
  const { outputFiles, metafile } = await build({
    stdin: { contents: code, resolveDir: process.cwd(), sourcefile: "application.js" },
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    outdir: "out",
    sourcemap: "external",
    write: false,
    metafile: true,
    // Outside node_modules it warns of imports it drops, which is what it is asked to do.
    logLevel: "error",
  });
  const first = Object.keys(metafile.outputs).filter((name) => isEntry(metafile, name));
  const entry = withStaticImports(metafile, first);
  const rest = Object.keys(metafile.outputs).filter((name) => !entry.has(name));
  return {
    entry: partOf(metafile, outputFiles, [...entry]),
    later: partOf(metafile, outputFiles, rest),
    text: outputFiles
      .filter(({ path }) => path.endsWith(".js"))
      .map(({ text }) => text)
      .join("\n"),
  };
}

function isEntry({ outputs }: Metafile, name: string): boolean {
  return outputs[name]?.entryPoint === "application.js";
}

function withStaticImports({ outputs }: Metafile, names: readonly string[]): Set<string> {
  const found = new Set(names);
  for (const name of found) {
    for (const { path, kind } of outputs[name]?.imports ?? []) {
      if (kind === "import-statement" && path in outputs) found.add(path);
    }
  }
  return found;
}

function partOf(
  { outputs }: Metafile,
  files: readonly OutputFile[],
  names: readonly string[],
): BundlePart {
  const folders = new Set<string>();
  const packages = new Set<string>();
  let bytes = 0;
  for (const name of names.filter((name) => name.endsWith(".js"))) {
    const output = outputs[name];
    bytes += output?.bytes ?? 0;
    for (const [input, { bytesInOutput }] of Object.entries(output?.inputs ?? {})) {
      const [, found] = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(input) ?? [];
      if (found && bytesInOutput > 0) packages.add(found);
    }
    const map = files.find(({ path }) => path === resolve(`${name}.map`));
    for (const source of mappedSources(map?.text ?? "{}")) {
      const [, folder] = /(?:^|\/)src\/(\w+)\//.exec(source) ?? [];
      if (folder && !source.includes("node_modules/")) folders.add(folder);
    }
  }
  return { folders: [...folders].sort(), packages: [...packages].sort(), bytes };
}

/**
 * Sources that a source map has a place for. The chunks of the built package mix folders, and a map
 * names every source of a chunk even if all of its statements were dropped; a place is a statement kept.
 */
function mappedSources(text: string): Set<string> {
  const { sources = [], mappings = "" } = JSON.parse(text) as {
    sources?: string[];
    mappings?: string;
  };
  const found = new Set<string>();
  let index = 0;
  for (const segment of mappings.split(/[,;]/)) {
    const [, sourceDelta] = decodeNumbers(segment);
    if (sourceDelta === undefined) continue;
    index += sourceDelta;
    found.add(sources[index] ?? "");
  }
  return found;
}

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** The numbers of one segment: base 64, five bits each, the sixth says that more follow. */
function decodeNumbers(segment: string): number[] {
  const numbers: number[] = [];
  let [value, shift] = [0, 0];
  for (const character of segment) {
    const digit = DIGITS.indexOf(character);
    value += (digit & 31) << shift;
    shift += 5;
    if (digit & 32) continue;
    numbers.push(value & 1 ? -(value >> 1) : value >> 1);
    [value, shift] = [0, 0];
  }
  return numbers;
}
