import { spawn } from "node:child_process";
import { CliError } from "../cli-error.ts";
import { scriptPath } from "../own-package.ts";
import { loaderArgs } from "./entry.ts";
import type { Project } from "./project.ts";

/** A service that generated code of the project declares. */
export interface GeneratedService {
  readonly typeName: string;
  /** File of the generated module. */
  readonly module: string;
  readonly exportName: string;
  /** Whether the server mounts it. */
  readonly isMounted: boolean;
}

/** Who may call a method, and why. */
export interface AccessRow {
  readonly method: string;
  readonly [column: string]: unknown;
}

/** What is asked of the process that loads a server module. */
export type Inspection =
  | { readonly kind: "services"; readonly entry: string; readonly modules: readonly string[] }
  | { readonly kind: "access"; readonly entry: string };

export type InspectionAnswer =
  | { readonly services: readonly GeneratedService[] }
  | { readonly access: readonly AccessRow[] }
  | { readonly error: string; readonly hint?: string; readonly stack?: string };

/** Loads a server module in a process of its own, with the project's TypeScript loader. */
export function inspectServer<T extends InspectionAnswer>(
  project: Project,
  inspection: Inspection,
): Promise<Exclude<T, { readonly error: string }>> {
  const args = [...loaderArgs(project, inspection.entry), scriptPath("inspect-server")];
  return new Promise((resolve, reject) => {
    // What the module prints is no output of ours.
    const child = spawn(process.execPath, args, {
      cwd: project.root,
      env: { ...process.env, PORT: "0" },
      stdio: ["ignore", 2, 2, "ipc"],
    });
    let answer: InspectionAnswer | undefined;
    child.on("message", (message) => {
      answer = message as InspectionAnswer;
    });
    child.once("error", reject);
    child.once("close", () => {
      if (answer === undefined) {
        reject(new CliError(`${inspection.entry} ended the process while it was loaded`));
      } else if ("error" in answer) {
        const { error, hint, stack } = answer;
        const cause = Object.assign(new Error(error), { stack });
        reject(new CliError(error, { hint, cause }));
      } else {
        resolve(answer as Exclude<T, { readonly error: string }>);
      }
    });
    child.send(inspection);
  });
}
