import type { ArgDef, ArgsDef } from "citty";
import type { CliCommand, CommandEntry } from "./command.ts";
import { globalArgs } from "./command.ts";
import { hintOf, shortOf } from "./command-line.ts";
import { connectionArgs } from "./remote/connection-args.ts";
import { columns, paint, textWidth, wrap } from "./terminal.ts";

type Stream = NodeJS.WriteStream;

/** A longer option has a line of its own, so that the descriptions of all keep their room. */
const MAX_OPTION_WIDTH = 30;

/** The screen of `connectum <command> --help`. */
export function commandHelp(name: string, command: CliCommand, stream: Stream): string {
  const { bold, cyan } = paint(stream);
  const width = textWidth(stream);
  const args = Object.entries(command.args);
  const positionals = args.filter(([, { type }]) => type === "positional");
  const own = args.filter(([arg, { type }]) => type !== "positional" && !(arg in connectionArgs));
  const options = [...own, ...Object.entries(globalArgs as ArgsDef)];
  const connection = args.filter(([arg]) => arg in connectionArgs);
  const usage = positionals.map(([arg, definition]) => positional(arg, definition)).join(" ");
  const lines = [...wrap(command.description, width), ""];
  lines.push(`${bold("Usage:")} connectum ${name}${usage && ` ${usage}`} [options]`, "");
  if (positionals.length > 0) {
    const rows = positionals.map(([arg, definition]) => [
      positional(arg, definition),
      described(definition),
    ]);
    lines.push(bold("Arguments:"), ...columns(rows, 2, width), "");
  }
  const rowsOf = (some: typeof options) =>
    some.map(([arg, definition]) => [option(arg, definition), described(definition)]);
  lines.push(bold("Options:"), ...columns(rowsOf(options), 2, width, MAX_OPTION_WIDTH), "");
  if (connection.length > 0) {
    const rows = columns(rowsOf(connection), 2, width, MAX_OPTION_WIDTH);
    lines.push(bold("Connection:"), ...rows, "");
  }
  lines.push(bold(command.examples.length === 1 ? "Example:" : "Examples:"));
  for (const example of command.examples) lines.push(`  ${cyan(`npx connectum ${example}`)}`);
  return `${lines.join("\n")}\n`;
}

/** The screen of `connectum --help` and of a word that has commands under it. */
export function groupHelp(
  name: string,
  description: string,
  commands: Readonly<Record<string, CommandEntry>>,
  stream: Stream,
): string {
  const { bold, cyan } = paint(stream);
  const width = textWidth(stream);
  const command = name === "" ? "connectum" : `connectum ${name}`;
  const rows = [...leaves(commands, "")];
  return [
    ...wrap(description, width),
    "",
    `${bold("Usage:")} ${command} <command> [options]`,
    "",
    bold("Commands:"),
    ...columns(rows, 2, width),
    "",
    `Options and an example of each: ${command} <command> --help`,
    ...(name === "" ? [`A first service: ${cyan("npx connectum init shop")}`] : []),
    "",
  ].join("\n");
}

function* leaves(
  commands: Readonly<Record<string, CommandEntry>>,
  prefix: string,
): Generator<[string, string]> {
  for (const [name, entry] of Object.entries(commands)) {
    if ("commands" in entry) yield* leaves(entry.commands, `${prefix}${name} `);
    else yield [`${prefix}${name}`, entry.description];
  }
}

function positional(name: string, definition: ArgDef): string {
  const isOptional = definition.required === false || definition.default !== undefined;
  return isOptional ? `[${name}]` : `<${name}>`;
}

function option(name: string, definition: ArgDef): string {
  const short = shortOf(definition);
  const value = definition.type === "boolean" ? "" : ` ${hintOf(definition)}`;
  const no = definition.type === "boolean" && definition.default === true ? "no-" : "";
  return `${short === undefined ? "    " : `-${short}, `}--${no}${name}${value}`;
}

function described(definition: ArgDef): string {
  const { description = "", default: fallback } = definition;
  const isWorthSaying = fallback !== undefined && typeof fallback !== "boolean";
  return isWorthSaying ? `${description} (default: ${fallback})` : description;
}
