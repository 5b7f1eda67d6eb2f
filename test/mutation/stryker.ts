import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { delimiter, dirname, resolve } from "node:path";
import { nodeBinary } from "../matrix/node-versions.ts";
import type { Concept } from "./concepts.ts";

/** It needs Node 22 or newer, which the development of this package does not. */
const NODE_MAJOR = 24;
const VERSION = "10.0.0";
const packages = ["@stryker-mutator/core", "@stryker-mutator/tap-runner"];
const prefix = resolve(".tools/stryker", VERSION);

type Status = "Killed" | "Timeout" | "Survived" | "NoCoverage" | "RuntimeError";

interface Position {
  readonly line: number;
  readonly column: number;
}

export interface Mutant {
  readonly mutatorName: string;
  readonly replacement: string;
  readonly status: Status;
  readonly location: { readonly start: Position; readonly end: Position };
}

/** What became of a file's mutants, and its text. */
export interface FileReport {
  readonly source: string;
  readonly mutants: readonly Mutant[];
}

/**
 * Builds the package once with all mutants of a concept in it, and runs the tests that reach a mutant
 * with this one switched on, up to the first that fails.
 */
export function runStryker(name: string, concept: Concept): Record<string, FileReport> {
  install();
  const node = nodeBinary(NODE_MAJOR);
  const work = resolve(prefix, `run-${process.pid}`);
  const configFile = resolve(work, `${name}.config.json`);
  const reportFile = resolve(work, `${name}.report.json`);
  mkdirSync(work, { recursive: true });
  try {
    writeFileSync(configFile, JSON.stringify(configuration(concept, work, reportFile)));
    const program = resolve(prefix, "node_modules/@stryker-mutator/core/bin/stryker.js");
    const { status } = spawnSync(node, [program, "run", configFile], {
      stdio: ["ignore", "inherit", "inherit"],
      env: {
        ...process.env,
        // Stryker starts the tests as `node`, thousands of times.
        PATH: `${dirname(node)}${delimiter}${process.env.PATH}`,
        NODE_COMPILE_CACHE: resolve(work, "compile-cache"),
      },
    });
    if (status !== 0) throw new Error(`Stryker ended with ${status} for ${name}`);
    return JSON.parse(readFileSync(reportFile, "utf8")).files;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function configuration({ mutate, tests }: Concept, work: string, reportFile: string) {
  return {
    mutate,
    testRunner: "tap",
    tap: {
      testFiles: tests,
      nodeArgs: ["--require", "{{hookFile}}", "--test-reporter=tap", "{{testFile}}"],
    },
    plugins: [resolve(prefix, "node_modules/@stryker-mutator/tap-runner/dist/src/index.js")],
    // Tests import the built package, as its users do.
    buildCommand: "tsup --no-dts",
    disableTypeChecks: false,
    coverageAnalysis: "perTest",
    concurrency: availableParallelism(),
    timeoutMS: 4_000,
    ignorePatterns: ["/.tools", "/dist", "/test/bench", "/test/fuzz"],
    tempDirName: resolve(work, "sandboxes"),
    cleanTempDir: "always",
    reporters: ["json", "progress-append-only"],
    jsonReporter: { fileName: reportFile },
    thresholds: { high: 100, low: 0, break: null },
    logLevel: "warn",
    allowConsoleColors: false,
  };
}

function install(): void {
  if (packages.every((name) => existsSync(resolve(prefix, "node_modules", name)))) return;
  const wanted = packages.map((name) => `${name}@${VERSION}`);
  execFileSync("npm", ["install", "--no-save", "--prefix", prefix, ...wanted], {
    stdio: ["ignore", "ignore", "inherit"],
  });
}
