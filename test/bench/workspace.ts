import { cpSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, resolve } from "node:path";
import { build } from "esbuild";

/**
 * A folder that looks like an application which has installed connectum: the built package in its
 * node_modules, every server script as plain JavaScript. What is measured stays the same while the
 * repository is rebuilt.
 */
export interface Workspace {
  readonly directory: string;
  script(name: string): string;
  remove(): void;
}

export async function createWorkspace(): Promise<Workspace> {
  const directory = resolve(".tools/bench", String(process.pid));
  const installed = resolve(directory, "node_modules/connectum");
  mkdirSync(installed, { recursive: true });
  // Its own package.json ends the package's scope here, so that `connectum` is the installed copy.
  writeFileSync(resolve(directory, "package.json"), `{ "private": true, "type": "module" }\n`);
  cpSync("dist", resolve(installed, "dist"), { recursive: true });
  cpSync("package.json", resolve(installed, "package.json"));
  const sources = resolve("test/bench/servers");
  await build({
    entryPoints: readdirSync(sources).map((file) => resolve(sources, file)),
    outdir: directory,
    bundle: true,
    packages: "external",
    platform: "node",
    format: "esm",
    target: "node18",
    logLevel: "warning",
  });
  return {
    directory,
    script: (name) => resolve(directory, `${basename(name)}.js`),
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}
