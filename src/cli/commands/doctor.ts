import { CliError, ExitCode } from "../cli-error.ts";
import { defineCliCommand } from "../command.ts";
import { type Finding, findings } from "../doctor/findings.ts";
import { Project } from "../project/project.ts";
import { paint } from "../terminal.ts";

export const doctorCommand = defineCliCommand({
  description:
    "Look for what is wrong with a project: Node version, duplicate packages, missing peers, buf, ports.",
  examples: ["doctor", "doctor --json"],
  args: {
    port: {
      type: "string",
      valueHint: "port",
      description: "Port the service will listen on. Default: PORT, or 5000",
    },
    json: { type: "boolean", description: "Findings as JSON" },
  },
  async run({ args }) {
    const project = Project.find();
    const port = Number(args.port ?? process.env.PORT ?? 5000);
    if (!Number.isInteger(port) || port < 0 || port > 65_535) {
      throw new CliError(`port must be an integer from 0 to 65535, got "${args.port}"`, {
        exitCode: ExitCode.USAGE,
      });
    }
    const found = await findings(project, port);
    if (args.json) process.stdout.write(`${JSON.stringify(found, undefined, 2)}\n`);
    else print(found);
    if (found.some(({ level }) => level === "error")) process.exitCode = ExitCode.FAILED;
  },
});

function print(found: readonly Finding[]): void {
  const { green, red, yellow, dim } = paint(process.stdout);
  const marks = { ok: green("ok     "), warning: yellow("warning"), error: red("error  ") };
  for (const { level, subject, message, hint } of found) {
    process.stdout.write(`${marks[level]}  ${subject}: ${message}\n`);
    if (hint !== undefined) process.stdout.write(`         ${dim(hint)}\n`);
  }
}
