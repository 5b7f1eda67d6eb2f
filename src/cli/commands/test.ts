import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { CliError, ExitCode } from "../cli-error.ts";
import { defineCliCommand } from "../command.ts";
import { packageRoot, scriptPath } from "../own-package.ts";
import { findEntry, loaderArgs } from "../project/entry.ts";
import { Project } from "../project/project.ts";

export const testCommand = defineCliCommand({
  description:
    "Test that a server is fit for production: it starts, is healthy, reflects, refuses garbage and drains without losing a call.",
  examples: ["test src/server.ts"],
  args: {
    module: {
      type: "positional",
      required: false,
      description: "Module that exports buildServer(). Default: src/server.ts or the like",
    },
    reporter: {
      type: "enum",
      options: ["spec", "tap", "dot"],
      default: "spec",
      description: "How node:test reports",
    },
  },
  async run({ args }) {
    const project = Project.find();
    const entry = findEntry(project, args.module);
    if (project.resolve("connectum/testing/suites") === undefined) {
      throw new CliError("the project's connectum has no connectum/testing/suites", {
        hint: `install or update it: npm install connectum (this is ${packageRoot})`,
      });
    }
    const script = scriptPath("run-suites");
    if (!existsSync(script)) throw new CliError(`${script} is missing; reinstall connectum`);
    const child = spawn(
      process.execPath,
      [...loaderArgs(project, entry), "--test-reporter", args.reporter, script, entry],
      { cwd: project.root, env: { ...process.env, PORT: "0" }, stdio: "inherit" },
    );
    const [code] = await once(child, "close");
    if (code !== 0) process.exitCode = ExitCode.FAILED;
  },
});
