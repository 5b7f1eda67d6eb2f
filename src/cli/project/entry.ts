import { existsSync } from "node:fs";
import { relative } from "node:path";
import { CliError, usageError } from "../cli-error.ts";
import type { Project } from "./project.ts";

const CANDIDATES = ["src/server", "server", "src/main", "main", "src/index", "index"].flatMap(
  (name) => [`${name}.ts`, `${name}.mts`, `${name}.js`, `${name}.mjs`],
);

/** The module a project starts with: the one named, or the first usual one there is. */
export function findEntry(project: Project, named: string | undefined): string {
  if (named !== undefined) {
    const path = existsSync(named) ? named : project.path(named);
    if (existsSync(path)) return project.path(path);
    throw usageError(`there is no module ${named}`, "name the file that builds the server");
  }
  const found = CANDIDATES.find((name) => project.has(name));
  if (found !== undefined) return project.path(found);
  throw usageError("no server module found", "name it, such as src/server.ts");
}

/**
 * Arguments for a Node that loads this module. TypeScript goes through the project's tsx, or without
 * it through Node itself where Node strips types.
 */
export function loaderArgs(project: Project, entry: string): string[] {
  if (!/\.[mc]?ts$/.test(entry)) return [];
  const tsx = project.resolve("tsx");
  if (tsx !== undefined) return ["--import", tsx];
  const { typescript } = process.features as { typescript?: false | "strip" | "transform" };
  if (typescript) return [];
  throw new CliError(
    `Node ${process.versions.node} does not run TypeScript (${relative(process.cwd(), entry)})`,
    { hint: "npm install --save-dev tsx, or use Node 22.18 or newer" },
  );
}
