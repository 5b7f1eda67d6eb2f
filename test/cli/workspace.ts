import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { TestContext } from "node:test";
import { connectum } from "./connectum.ts";

/** A folder for one test. */
export function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "connectum-cli-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Gives a project the packages of this repository and the built connectum, without an install. */
export function linkPackages(project: string): void {
  const modules = join(project, "node_modules");
  mkdirSync(modules);
  for (const name of readdirSync("node_modules")) {
    symlinkSync(resolve("node_modules", name), join(modules, name));
  }
  symlinkSync(resolve("."), join(modules, "connectum"));
}

/** A project with packages, and nothing of its own. */
export function emptyProject(t: TestContext): string {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }));
  linkPackages(folder);
  return folder;
}

/** A project made by `connectum init`, ready to run. */
export async function createProject(t: TestContext, ...args: string[]): Promise<string> {
  const folder = temporaryFolder(t);
  const { code, stderr } = await connectum(["init", "shop", "--yes", ...args], { cwd: folder });
  if (code !== 0) throw new Error(stderr);
  const project = join(folder, "shop");
  linkPackages(project);
  return project;
}

let generated: Promise<string> | undefined;

/** A project made by `connectum init` with its code, which is generated once for all tests of a file. */
export async function createGeneratedProject(t: TestContext): Promise<string> {
  const project = await createProject(t);
  generated ??= generateOnce(project);
  cpSync(await generated, join(project, "gen"), { recursive: true });
  return project;
}

async function generateOnce(project: string): Promise<string> {
  const { code, stderr } = await connectum(["generate"], { cwd: project });
  if (code !== 0) throw new Error(stderr);
  const folder = mkdtempSync(join(tmpdir(), "connectum-gen-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  cpSync(join(project, "gen"), folder, { recursive: true });
  return folder;
}
