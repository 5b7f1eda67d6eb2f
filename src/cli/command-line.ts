import { parseArgs } from "node:util";
import type { ArgDef, ArgsDef } from "citty";
import { usageError } from "./cli-error.ts";
import { type CliCommand, globalArgs } from "./command.ts";

/**
 * Refuses what citty would let pass: unknown options, options without their value, surplus or missing
 * arguments.
 */
export async function checkCommandLine(
  name: string,
  command: CliCommand,
  rawArgs: string[],
): Promise<void> {
  const args: ArgsDef = { ...command.args, ...globalArgs };
  const positionals: string[] = [];
  for (const token of tokensOf(args, rawArgs)) {
    if (token.kind === "positional") positionals.push(token.value);
    if (token.kind !== "option") continue;
    const definition = definitionOf(args, token.name);
    if (!definition) throw await unknownOption(name, token.rawName, args);
    const isFlag = definition.type === "boolean";
    if (isFlag && token.value !== undefined) {
      throw usageError(`${token.rawName} takes no value, got "${token.value}"`);
    }
    if (!isFlag && (token.value === undefined || token.value === "")) {
      throw usageError(`${token.rawName} needs a value: ${token.rawName} ${hintOf(definition)}`);
    }
    if (definition.type === "enum" && !definition.options?.includes(token.value ?? "")) {
      const allowed = definition.options?.join(", ");
      throw usageError(`${token.rawName} must be one of ${allowed}, got "${token.value}"`);
    }
  }
  checkPositionals(name, command.args, positionals);
}

/** Every value of a repeatable option, in order. */
export function allValues(args: ArgsDef, rawArgs: string[], name: string): string[] {
  const values: string[] = [];
  for (const token of tokensOf({ ...args, ...globalArgs }, rawArgs)) {
    if (token.kind !== "option" || token.value === undefined) continue;
    if (token.name === name) values.push(token.value);
  }
  return values;
}

function tokensOf(args: ArgsDef, rawArgs: string[]) {
  const options: Record<string, { type: "string" | "boolean"; short?: string }> = {};
  for (const [name, definition] of Object.entries(args)) {
    if (definition.type === "positional") continue;
    const short = shortOf(definition);
    options[name] = {
      type: definition.type === "boolean" ? "boolean" : "string",
      ...(short === undefined ? {} : { short }),
    };
  }
  return parseArgs({ args: rawArgs, options, strict: false, allowPositionals: true, tokens: true })
    .tokens;
}

export function shortOf(definition: ArgDef): string | undefined {
  const { alias } = definition as { alias?: string | string[] };
  return [alias ?? []].flat().find((name) => name.length === 1);
}

function definitionOf(args: ArgsDef, name: string): ArgDef | undefined {
  if (Object.hasOwn(args, name)) return args[name];
  const positive = name.startsWith("no-") ? name.slice(3) : "";
  if (!Object.hasOwn(args, positive)) return undefined;
  return args[positive]?.type === "boolean" ? args[positive] : undefined;
}

async function unknownOption(command: string, rawName: string, args: ArgsDef) {
  const names = Object.entries(args)
    .filter(([, { type }]) => type !== "positional")
    .map(([name]) => name);
  const { nearest } = await import("./nearest.ts");
  const suggestion = nearest(rawName.replace(/^-+/, ""), names);
  return usageError(
    `${command} has no option ${rawName}`,
    `did you mean --${suggestion}? See: connectum ${command} --help`,
  );
}

function checkPositionals(command: string, args: ArgsDef, given: string[]): void {
  const known = Object.entries(args).filter(([, { type }]) => type === "positional");
  const missing = known
    .slice(given.length)
    .find(([, { required, default: fallback }]) => required !== false && fallback === undefined);
  if (missing) {
    throw usageError(`${command} needs <${missing[0]}>`, `see: connectum ${command} --help`);
  }
  if (given.length > known.length) {
    throw usageError(
      `${command} takes ${known.length === 0 ? "no arguments" : `${known.length} at most`}, got "${given[known.length]}" besides`,
      `see: connectum ${command} --help`,
    );
  }
}

export function hintOf(definition: ArgDef): string {
  if (definition.type === "enum") return `<${definition.options?.join("|")}>`;
  return `<${definition.valueHint ?? "value"}>`;
}
