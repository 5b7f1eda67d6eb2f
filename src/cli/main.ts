import { runCommand } from "citty";
import { CliError, ExitCode, usageError } from "./cli-error.ts";
import type { CommandEntry, CommandGroup, LazyCommand } from "./command.ts";
import { checkCommandLine } from "./command-line.ts";
import { commandHelp, groupHelp } from "./help.ts";
import { ownVersion } from "./own-package.ts";
import { program } from "./program.ts";
import { reportError, showStacks } from "./report-error.ts";
import { disableColors } from "./terminal.ts";

/** Runs one command line to its end and returns the exit code. Everything it prints is printed. */
export async function main(rawArgs: readonly string[]): Promise<number> {
  const own = rawArgs.slice(0, rawArgs.includes("--") ? rawArgs.indexOf("--") : rawArgs.length);
  if (own.includes("--no-color")) disableColors();
  if (own.includes("--verbose")) showStacks();
  try {
    await dispatch(program, "", [...rawArgs]);
    return Number(process.exitCode ?? ExitCode.OK);
  } catch (error) {
    reportError(error);
    return error instanceof CliError ? error.exitCode : ExitCode.FAILED;
  }
}

async function dispatch(entry: CommandEntry, name: string, rawArgs: string[]): Promise<void> {
  if (!("commands" in entry)) return runLeaf(entry, name, rawArgs);
  const [word] = rawArgs;
  const next = word !== undefined && !word.startsWith("-") ? entry.commands[word] : undefined;
  if (next && Object.hasOwn(entry.commands, word ?? "")) {
    return dispatch(next, `${name} ${word}`.trim(), rawArgs.slice(1));
  }
  return runGroup(entry, name, rawArgs);
}

async function runLeaf(entry: LazyCommand, name: string, rawArgs: string[]): Promise<void> {
  const command = await entry.load();
  if (asksForHelp(rawArgs)) {
    process.stdout.write(commandHelp(name, command, process.stdout));
    return;
  }
  await checkCommandLine(name, command, rawArgs);
  await runCommand(command.definition, { rawArgs });
}

async function runGroup(group: CommandGroup, name: string, rawArgs: string[]): Promise<void> {
  if (name === "" && ["--version", "-v"].includes(rawArgs[0] ?? "")) {
    process.stdout.write(`${ownVersion()}\n`);
    return;
  }
  const help = (stream: NodeJS.WriteStream) =>
    groupHelp(name, group.description, group.commands, stream);
  if (asksForHelp(rawArgs) || rawArgs[0] === "help") {
    process.stdout.write(help(process.stdout));
    return;
  }
  const word = rawArgs.find((argument) => !argument.startsWith("-"));
  if (word === undefined && rawArgs.length > 0 && rawArgs[0] !== "--no-color") {
    throw usageError(`unknown option ${rawArgs[0]}`, "see: connectum --help");
  }
  if (word === undefined) {
    process.stderr.write(help(process.stderr));
    process.exitCode = ExitCode.USAGE;
    return;
  }
  const command = name === "" ? "connectum" : `connectum ${name}`;
  const { nearest } = await import("./nearest.ts");
  const suggestion = nearest(word, Object.keys(group.commands));
  throw usageError(
    `unknown command "${word}"`,
    `did you mean "${command} ${suggestion}"? All commands: connectum --help`,
  );
}

function asksForHelp(rawArgs: string[]): boolean {
  const end = rawArgs.indexOf("--");
  return rawArgs
    .slice(0, end === -1 ? undefined : end)
    .some((arg) => arg === "--help" || arg === "-h");
}
