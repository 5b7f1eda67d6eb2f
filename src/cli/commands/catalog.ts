import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, relative, sep } from "node:path";
import { CliError, usageError } from "../cli-error.ts";
import { defineCliCommand } from "../command.ts";
import { findEntry } from "../project/entry.ts";
import { outputFolders } from "../project/generate-code.ts";
import { type GeneratedService, inspectServer } from "../project/inspect-server.ts";
import { Project } from "../project/project.ts";
import { filesBelow } from "../project/write-files.ts";

export const catalogCommand = defineCliCommand({
  description:
    "Write a typed catalog of the project's services, type name to descriptor, for routing with server.client(). Services of generated code count, mounted here or not.",
  examples: ["catalog", "catalog src/server.ts --out src/catalog.ts --check"],
  args: {
    entry: {
      type: "positional",
      required: false,
      description: "Module that exports buildServer(). Default: src/server.ts or the like",
    },
    out: {
      type: "string",
      valueHint: "file",
      default: "src/catalog.ts",
      description: "Module to write",
    },
    check: { type: "boolean", description: "Write nothing; fail when the module is out of date" },
    json: { type: "boolean", description: "Print the services as JSON, and write nothing" },
  },
  async run({ args }) {
    const project = Project.find();
    const entry = findEntry(project, args.entry);
    const modules = outputFolders(project)
      .flatMap((folder) =>
        filesBelow(project.path(folder)).map((name) => project.path(folder, name)),
      )
      .filter((path) => /_pb\.[jt]s$/.test(path) && !path.endsWith(".d.ts"));
    if (modules.length === 0) {
      throw new CliError("there is no generated code", { hint: "make it: connectum generate" });
    }
    const { services } = await inspectServer<{ services: readonly GeneratedService[] }>(project, {
      kind: "services",
      entry,
      modules,
    });
    const sorted = [...services].sort((a, b) => (a.typeName < b.typeName ? -1 : 1));
    if (args.json) {
      const shown = sorted.map((service) => ({
        ...service,
        module: relative(project.root, service.module),
      }));
      process.stdout.write(`${JSON.stringify(shown, undefined, 2)}\n`);
      return;
    }
    writeCatalog(project, args.out, sorted, args.check ?? false);
  },
});

function writeCatalog(
  project: Project,
  out: string,
  services: readonly GeneratedService[],
  isCheck: boolean,
): void {
  if (!/\.[mc]?[jt]s$/.test(out)) {
    throw usageError(`--out must be a module, got ${out}`, "such as src/catalog.ts");
  }
  const path = project.path(out);
  const source = catalogSource(project, path, services);
  if (isCheck) {
    const isCurrent = existsSync(path) && readFileSync(path, "utf8") === source;
    if (isCurrent) return;
    throw new CliError(`${out} is out of date`, { hint: "write it: connectum catalog" });
  }
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, source);
  const mounted = services.filter(({ isMounted }) => isMounted).length;
  process.stdout.write(`${out}: ${services.length} services, ${mounted} mounted here\n`);
}

function catalogSource(
  project: Project,
  path: string,
  services: readonly GeneratedService[],
): string {
  const isTypeScript = path.endsWith("ts");
  const taken = new Set<string>();
  const imports: string[] = [];
  const entries: string[] = [];
  for (const { typeName, module, exportName, isMounted } of services) {
    const local = freeName(exportName, taken);
    const binding = local === exportName ? local : `${exportName} as ${local}`;
    imports.push(`import { ${binding} } from "${specifier(project, path, module)}";`);
    entries.push(
      `  ${JSON.stringify(typeName)}: ${local},${isMounted ? "" : " // not mounted here"}`,
    );
  }
  return [
    "// Written by `connectum catalog`; run it again when services come or go.",
    ...imports,
    "",
    "/** Every service this project knows, by its type name. */",
    "export const catalog = {",
    ...entries,
    isTypeScript ? "} as const;" : "};",
    ...(isTypeScript ? ["", "export type ServiceName = keyof typeof catalog;"] : []),
    "",
  ].join("\n");
}

/** Two packages may have services of one name. */
function freeName(name: string, taken: Set<string>): string {
  let free = name;
  for (let index = 2; taken.has(free); index++) free = `${name}${index}`;
  taken.add(free);
  return free;
}

/** Through the project's `#…/*` imports where they reach the file, else relative. */
function specifier(project: Project, from: string, module: string): string {
  const inProject = `./${relative(project.root, module).split(sep).join("/")}`;
  for (const [pattern, target] of Object.entries(project.manifest.imports ?? {})) {
    if (typeof target !== "string" || !pattern.endsWith("/*") || !target.endsWith("/*")) continue;
    const folder = target.slice(0, -1);
    if (inProject.startsWith(folder)) return pattern.slice(0, -1) + inProject.slice(folder.length);
  }
  const path = relative(dirname(from), module).split(sep).join("/");
  return path.startsWith(".") ? path : `./${path}`;
}
