import { CliError, messageOf } from "./cli-error.ts";
import { paint } from "./terminal.ts";

let isVerbose = false;

/** What `--verbose` does. */
export function showStacks(): void {
  isVerbose = true;
}

/** Prints an error on standard error: one line, details if there are any, a hint. */
export function reportError(error: unknown): void {
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
