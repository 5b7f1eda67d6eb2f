import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CliError } from "../cli-error.ts";
import type { Project } from "./project.ts";
import { runProgram } from "./run-program.ts";

const INSTALL = "npm install --save-dev @bufbuild/buf @bufbuild/protoc-gen-es";

export interface BufTemplate {
  /** The file buf reads. */
  readonly path: string;
  /** Whether the project has it, or it is the built-in one. */
  readonly isOwn: boolean;
  /** Removes the built-in one. */
  remove(): void;
}

/** The buf of a project; an error says what to install when there is none. */
export function findBuf(project: Project): string {
  const buf = project.findBin("buf");
  if (buf === undefined) {
    throw new CliError("buf is not installed", { hint: `install it: ${INSTALL}` });
  }
  return buf;
}

/** The project's template: the one named, else its buf.gen.yaml, else a built-in one. */
export function chooseTemplate(
  project: Project,
  named: string | undefined,
  out: string,
): BufTemplate {
  const own = named ?? ["buf.gen.yaml", "buf.gen.yml"].find((name) => project.has(name));
  if (own === undefined) return builtInTemplate(project, out);
  const path = project.path(own);
  if (!existsSync(path)) throw new CliError(`there is no template ${path}`);
  return { path, isOwn: true, remove() {} };
}

/** Writes JavaScript with types to `out`. */
export function builtInTemplate(project: Project, out = "."): BufTemplate {
  if (project.findBin("protoc-gen-es") === undefined) {
    throw new CliError("protoc-gen-es is not installed", { hint: `install it: ${INSTALL}` });
  }
  const folder = mkdtempSync(join(tmpdir(), "connectum-template-"));
  const path = join(folder, "buf.gen.yaml");
  const opt = ["target=js+dts", "import_extension=js"];
  // JSON is YAML.
  const template = { version: "v2", plugins: [{ local: "protoc-gen-es", out, opt }] };
  writeFileSync(path, JSON.stringify(template));
  return { path, isOwn: false, remove: () => rmSync(folder, { recursive: true }) };
}

/** Runs buf in the project. Throws an error with buf's own words when it fails. */
export async function runBuf(
  project: Project,
  args: readonly string[],
  failure: string,
): Promise<string> {
  const { code, output } = await runProgram(findBuf(project), args, {
    cwd: project.root,
    env: { ...process.env, PATH: project.binPath() },
  });
  if (code === 0) return output;
  const needsPlugin = /protoc-gen-[\w-]+.*(not found|no such file)/i.test(output);
  throw new CliError(failure, {
    notes: output.split("\n").map((line) => `  ${line}`),
    hint: needsPlugin ? `install the plugin: ${INSTALL}` : undefined,
  });
}
