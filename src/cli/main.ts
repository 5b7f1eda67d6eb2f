import { runCommand } from "citty";
import { nearest } from "../core/internal.ts";
import { CliError, ExitCode, messageOf, usageError } from "./cli-error.ts";
import type { CommandEntry, CommandGroup, LazyCommand } from "./command.ts";
import { checkCommandLine } from "./command-line.ts";
import { commandHelp, groupHelp } from "./help.ts";
import { ownVersion } from "./own-package.ts";
import { program } from "./program.ts";
import { disableColors, paint } from "./terminal.ts";

/** Runs one command line to its end and returns the exit code. Everything it prints is printed. */
export async function main(rawArgs: readonly string[]): Promise<number> {
  const own = rawArgs.slice(0, rawArgs.includes("--") ? rawArgs.indexOf("--") : rawArgs.length);
  if (own.includes("--no-color")) disableColors();
  try {
    await dispatch(program, "", [...rawArgs]);
    return Number(process.exitCode ?? ExitCode.OK);
  } catch (error) {
    report(error, own.includes("--verbose"));
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
  checkCommandLine(name, command, rawArgs);
  await runCommand(command.definition, { rawArgs });
}

function runGroup(group: CommandGroup, name: string, rawArgs: string[]): void {
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

function report(error: unknown, isVerbose: boolean): void {
  const { bold, red, yellow, dim } = paint(process.stderr);
  const [first, ...more] = messageOf(error).split("\n");
  const lines = [`${bold(red("error:"))} ${first}`, ...more];
  if (error instanceof CliError) {
    lines.push(...error.notes);
    if (error.hint) lines.push(`${yellow("hint:")} ${error.hint}`);
  } else if (!isVerbose) {
    lines.push(`${yellow("hint:")} run it again with --verbose for the stack`);
  }
  if (isVerbose) lines.push(dim(stackOf(error)));
  process.stderr.write(`${lines.join("\n")}\n`);
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return "";
  const cause = error.cause === undefined ? "" : `\ncaused by ${stackOf(error.cause)}`;
  return `${error.stack}${cause}`;
}
