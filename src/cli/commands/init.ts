import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { askForProject } from "../ask-for-project.ts";
import { CliError, ExitCode, usageError } from "../cli-error.ts";
import { defineCliCommand } from "../command.ts";
import { ownVersion } from "../own-package.ts";
import { checkPackageName, namesOf } from "../templates/names.ts";
import { projectFiles } from "../templates/project-files.ts";
import { isInteractive, paint } from "../terminal.ts";

/** Leftovers that do not make a folder somebody's work. */
const HARMLESS = new Set([".git", ".gitignore", ".DS_Store", "LICENSE", "README.md"]);

export const initCommand = defineCliCommand({
  description:
    "Make a service that runs: schema, handler, server with health, reflection and interceptors, test, Dockerfile and Kubernetes manifests.",
  examples: ["init shop", "init shop --template full --yes"],
  args: {
    dir: {
      type: "positional",
      required: false,
      description: "Folder to make the service in; asked for when left out",
    },
    name: {
      type: "string",
      valueHint: "name",
      description: "Name of the package and its service. Default: that of the folder",
    },
    template: {
      type: "enum",
      options: ["minimal", "full"],
      description: "minimal: one unary method; full: streams, logs and access rules too",
    },
    connectum: {
      type: "string",
      valueHint: "spec",
      description: "Version or tarball of connectum to depend on. Default: this version",
    },
    yes: { type: "boolean", alias: "y", description: "Ask nothing, take the defaults" },
    force: {
      type: "boolean",
      description: "Write into a folder that has files, over those of the same name",
    },
  },
  async run({ args }) {
    const asks = isInteractive() && !args.yes;
    if (!asks && args.dir === undefined) {
      throw usageError("init needs a folder", "name one: connectum init shop");
    }
    const answers = asks
      ? await askForProject(args)
      : { dir: args.dir ?? "", name: args.name, template: args.template };
    const root = resolve(answers.dir);
    const npmName = answers.name ?? packageName(basename(root));
    checkPackageName(npmName);
    const names = namesOf(npmName);
    checkTarget(root, args.force ?? false);
    const files = await projectFiles({
      names,
      template: answers.template === "full" ? "full" : "minimal",
      connectum: dependency(args.connectum, root),
    });
    write(root, files, args.force ?? false);
    say(root, Object.keys(files).length);
  },
});

/** The name npm would take for a folder. */
function packageName(folder: string): string {
  return folder
    .toLowerCase()
    .replace(/[^a-z0-9._~-]+/g, "-")
    .replace(/^[._-]+/, "");
}

function checkTarget(root: string, force: boolean): void {
  if (!existsSync(root)) return;
  const shown = relative(process.cwd(), root) || "this folder";
  if (!statSync(root).isDirectory()) throw usageError(`${shown} is a file`, "name another folder");
  const theirs = readdirSync(root).filter((name) => !HARMLESS.has(name));
  if (theirs.length === 0 || force) return;
  const some = theirs.slice(0, 3).join(", ");
  throw new CliError(`${shown} is not empty: ${some}${theirs.length > 3 ? ", …" : ""}`, {
    hint: "name another folder, or write into this one with --force",
    exitCode: ExitCode.FAILED,
  });
}

/** Nothing is written when something is in the way. */
function write(root: string, files: Record<string, string>, force: boolean): void {
  const inTheWay = Object.keys(files).filter((name) => existsSync(join(root, name)));
  const precious = inTheWay.filter((name) => !["README.md", ".gitignore"].includes(name));
  if (precious.length > 0 && !force) {
    throw new CliError(`${precious[0]} is there already`, { hint: "overwrite it with --force" });
  }
  for (const [name, content] of Object.entries(files)) {
    // A README or .gitignore that a hosting service made is somebody's; ours can wait.
    if (inTheWay.includes(name) && !force) continue;
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), content);
  }
}

/** A path is one npm finds from the project; anything else is for npm to understand. */
function dependency(spec: string | undefined, root: string): string {
  if (spec === undefined) return `^${ownVersion()}`;
  const isPath = /^[./~]|^file:|\.tgz$/.test(spec) && !/^https?:/.test(spec);
  if (!isPath) return spec;
  const path = resolve(spec.replace(/^file:/, ""));
  if (!existsSync(path)) throw usageError(`--connectum: there is no file ${path}`);
  return `file:${relative(root, path).startsWith("..") ? path : relative(root, path)}`;
}

function say(root: string, count: number): void {
  const { bold, cyan, green } = paint(process.stdout);
  const folder = relative(process.cwd(), root) || ".";
  const enter = folder === "." ? "" : `cd ${folder} && `;
  const lines = [
    `${green("✔")} ${count} files written to ${bold(folder)}. Run it:`,
    "",
    `  ${cyan(`${enter}npm install`)}`,
    `  ${cyan("npm start")}`,
    "",
    `Tests: ${cyan("npm test")}. While you work on it: ${cyan("npm run dev")}.`,
  ];
  process.stdout.write(`${lines.join("\n")}\n`);
}
