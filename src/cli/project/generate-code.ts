import { existsSync, readFileSync } from "node:fs";
import { relative, sep } from "node:path";
import { CliError } from "../cli-error.ts";
import { chooseTemplate, findBuf, runBuf } from "./buf.ts";
import type { Project } from "./project.ts";
import { listFiles } from "./watch-files.ts";

export interface Generated {
  readonly ms: number;
  /** How the template is called in a sentence. */
  readonly template: string;
}

/** Whether a change of this file calls for generating again. */
export function isSchemaFile(path: string): boolean {
  return (
    path.endsWith(".proto") || /^buf(\.gen|\.work)?\.ya?ml$/.test(path.split(sep).at(-1) ?? "")
  );
}

/** Runs `buf generate` in a project. */
export async function generateCode(
  project: Project,
  named?: string,
  out = "gen",
): Promise<Generated> {
  const started = performance.now();
  findBuf(project);
  if (!listFiles(project.root).some((path) => path.endsWith(".proto"))) {
    throw new CliError(`no .proto file in ${project.root}`, {
      hint: "write one, or add one with its handler: connectum add service Orders",
    });
  }
  const template = chooseTemplate(project, named, out);
  try {
    const args = ["generate", "--template", template.path];
    await runBuf(project, args, "buf could not generate code");
  } finally {
    template.remove();
  }
  const name = template.isOwn ? relative(project.root, template.path) : "the built-in template";
  return { ms: Math.round(performance.now() - started), template: name };
}

/** Folders the project's template writes to, relative to the project. */
export function outputFolders(project: Project): string[] {
  const path = project.path("buf.gen.yaml");
  if (!existsSync(path)) return ["gen"];
  const outs = [...readFileSync(path, "utf8").matchAll(/^\s*(?:-\s+)?out:\s*["']?([^"'\s#]+)/gm)];
  return outs.map(([, out = ""]) => out);
}
