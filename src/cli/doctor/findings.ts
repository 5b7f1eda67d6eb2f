import { createServer } from "node:net";
import { codeOf } from "../cli-error.ts";
import { ownManifest } from "../own-package.ts";
import type { Project } from "../project/project.ts";
import { runProgram } from "../project/run-program.ts";
import { installedCopies } from "./installed-copies.ts";
import { isInRange } from "./version-range.ts";

export interface Finding {
  readonly level: "ok" | "warning" | "error";
  /** What was looked at. */
  readonly subject: string;
  readonly message: string;
  /** What to do. */
  readonly hint?: string;
}

/** Packages whose classes and context keys work only within one copy. */
const SINGLE = ["@bufbuild/protobuf", "@connectrpc/connect"];

/** Everything that was looked at, problems and what is in order. */
export async function findings(project: Project, port: number): Promise<Finding[]> {
  return [
    nodeVersion(),
    ...moduleType(project),
    ...peers(project),
    ...SINGLE.map((name) => copies(project, name)),
    await buf(project),
    await plugin(project),
    await portFree(port),
  ];
}

function nodeVersion(): Finding {
  const { node = "*" } = ownManifest().engines;
  const { node: version } = process.versions;
  const subject = "Node.js";
  if (isInRange(version, node)) return { level: "ok", subject, message: version };
  const message = `${version} is too old, connectum needs ${node}`;
  return { level: "error", subject, message, hint: "install a current one: https://nodejs.org" };
}

function moduleType({ manifest }: Project): Finding[] {
  if (manifest.type === "module") return [];
  const message = 'is not "module", and connectum is ESM only';
  const hint = 'add "type": "module" to package.json';
  return [{ level: "error", subject: "package.json type", message, hint }];
}

function peers(project: Project): Finding[] {
  const { peerDependencies, peerDependenciesMeta } = ownManifest();
  return Object.entries(peerDependencies).flatMap(([name, range]): Finding[] => {
    const [copy] = installedCopies(project.root, name);
    const isOptional = peerDependenciesMeta[name]?.optional === true;
    if (copy === undefined) {
      if (isOptional) return [];
      const hint = `npm install ${name}`;
      return [{ level: "error", subject: name, message: "is not installed", hint }];
    }
    if (isInRange(copy.version, range)) {
      return [{ level: "ok", subject: name, message: copy.version }];
    }
    const message = `${copy.version} does not fit, connectum needs ${range}`;
    return [
      { level: "error", subject: name, message, hint: `npm install ${name}@latest` } as const,
    ];
  });
}

function copies(project: Project, name: string): Finding {
  const found = installedCopies(project.root, name);
  const subject = `copies of ${name}`;
  if (found.length <= 1) return { level: "ok", subject, message: String(found.length) };
  const list = found.map(({ version, path }) => `${version} in ${path}`).join("; ");
  return {
    level: "error",
    subject,
    message: `${found.length}: ${list}`,
    hint: `messages and context values of one copy are strange to the other: npm dedupe, or npm why ${name}`,
  };
}

async function buf(project: Project): Promise<Finding> {
  const path = project.findBin("buf");
  const hint = "npm install --save-dev @bufbuild/buf";
  if (path === undefined) {
    return { level: "warning", subject: "buf", message: "is not installed", hint };
  }
  const { code, output } = await runProgram(path, ["--version"], { cwd: project.root });
  if (code === 0) return { level: "ok", subject: "buf", message: output };
  return { level: "error", subject: "buf", message: output.split("\n")[0] ?? "does not run", hint };
}

/** Generated code works with a runtime as new as its generator, or newer. */
async function plugin(project: Project): Promise<Finding> {
  const subject = "protoc-gen-es";
  const path = project.findBin(subject);
  if (path === undefined) {
    const hint = "npm install --save-dev @bufbuild/protoc-gen-es";
    return { level: "warning", subject, message: "is not installed", hint };
  }
  const { output } = await runProgram(path, ["--version"], { cwd: project.root });
  const version = output.split(/\s+/).at(-1)?.replace(/^v/, "") ?? "";
  const [runtime] = installedCopies(project.root, "@bufbuild/protobuf");
  if (runtime === undefined || isInRange(runtime.version, `>=${version}`)) {
    return { level: "ok", subject, message: version };
  }
  return {
    level: "warning",
    subject,
    message: `${version} is newer than @bufbuild/protobuf ${runtime.version}`,
    hint: `npm install @bufbuild/protobuf@^${version}`,
  };
}

function portFree(port: number): Promise<Finding> {
  const subject = `port ${port}`;
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error) => {
      const isTaken = codeOf(error) === "EADDRINUSE";
      resolve({
        level: "warning",
        subject,
        message: isTaken ? "is in use" : `cannot be listened on (${codeOf(error)})`,
        hint: "end what uses it, or choose another with PORT",
      });
    });
    server.listen(port, () => {
      server.close(() => resolve({ level: "ok", subject, message: "is free" }));
    });
  });
}
