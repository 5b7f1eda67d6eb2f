import { resolve } from "node:path";
import { build, type Metafile } from "esbuild";
import type { Bench, Comparison, Figure, Row, RowResult } from "../row.ts";
import { spreadOf } from "../statistics.ts";

export const p12: Row = {
  id: "P12",
  what: "size of an app that imports connectum/core only, bundled and minified",
  needs: [],
  run,
};

interface Bundle {
  readonly entryBytes: number;
  readonly lazyBytes: number;
  /** What is in the entry chunk and in chunks it imports at once. */
  readonly sources: readonly string[];
}

/** What no app should carry that does not use it. */
const forbidden =
  /src\/(reflection|healthcheck|otel|auth|interceptors|testing|cli)\/|@opentelemetry|node_modules\/jose\//;

async function run({ workspace }: Bench): Promise<RowResult> {
  const ours = await bundle(workspace.script("app-connectum"));
  const theirs = await bundle(workspace.script("app-connect-node"));
  const intruders = ours.sources.filter((source) => forbidden.test(source));
  return {
    comparisons: [
      constant(
        "connectum / connect-node, bytes at start",
        ours.entryBytes / theirs.entryBytes,
        1.15,
      ),
      constant(`foreign modules at start: ${intruders.join(" ") || "none"}`, intruders.length, 0),
    ],
    figures: [
      bytes("connectum, at start", ours.entryBytes),
      bytes("connectum, loaded later", ours.lazyBytes),
      bytes("connect-node, at start", theirs.entryBytes),
      bytes("connect-node, loaded later", theirs.lazyBytes),
    ],
  };
}

async function bundle(entry: string): Promise<Bundle> {
  const { metafile, outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    splitting: true,
    minify: true,
    sourcemap: true,
    metafile: true,
    write: false,
    outdir: resolve(".tools/bench/bundle"),
    platform: "node",
    format: "esm",
    target: "node18",
    logLevel: "error",
  });
  const { outputs } = metafile;
  const chunks = Object.keys(outputs).filter((file) => file.endsWith(".js"));
  const atStart = importedAtOnce(
    outputs,
    chunks.find((file) => outputs[file]?.entryPoint) as string,
  );
  const size = (files: string[]) =>
    files.reduce((sum, file) => sum + (outputs[file]?.bytes ?? 0), 0);
  const maps = outputFiles.filter(({ path }) =>
    [...atStart].some((file) => path === resolve(`${file}.map`)),
  );
  return {
    entryBytes: size(chunks.filter((file) => atStart.has(file))),
    lazyBytes: size(chunks.filter((file) => !atStart.has(file))),
    sources: maps.flatMap(({ text }) => (JSON.parse(text) as { sources: string[] }).sources),
  };
}

function importedAtOnce(outputs: Metafile["outputs"], file: string, found = new Set<string>()) {
  if (found.has(file)) return found;
  found.add(file);
  for (const { path, kind } of outputs[file]?.imports ?? []) {
    if (kind === "import-statement" && outputs[path]) importedAtOnce(outputs, path, found);
  }
  return found;
}

function constant(what: string, value: number, atMost: number): Comparison {
  return { what, ratio: spreadOf([value]), rounds: [value], target: { atMost } };
}

function bytes(what: string, value: number): Figure {
  return { what, value: spreadOf([value]), unit: "bytes" };
}
