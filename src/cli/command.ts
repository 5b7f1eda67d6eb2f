import { type ArgsDef, type CommandContext, type CommandDef, defineCommand } from "citty";

/** A command with what citty does not know of: examples for `--help`, and arguments given often. */
export interface CliCommand {
  readonly description: string;
  /** Command lines without `connectum`, shown by `--help`. */
  readonly examples: readonly string[];
  readonly args: ArgsDef;
  /** Names of string arguments that may be given more than once; read them with `allValues`. */
  readonly repeatable: readonly string[];
  readonly definition: CommandDef;
}

/** Commands under one word: `add service`. */
export interface CommandGroup {
  readonly description: string;
  readonly commands: Readonly<Record<string, CommandEntry>>;
}

/** A command is loaded when it is run or its help is shown, so that others start fast. */
export interface LazyCommand {
  readonly description: string;
  readonly load: () => Promise<CliCommand>;
}

export type CommandEntry = LazyCommand | CommandGroup;

interface CliCommandOptions<T extends ArgsDef> {
  readonly description: string;
  readonly examples: readonly string[];
  readonly args: T;
  readonly repeatable?: readonly (keyof T & string)[];
  readonly run: (context: CommandContext<T>) => Promise<void> | void;
}

export function defineCliCommand<const T extends ArgsDef>(
  options: CliCommandOptions<T>,
): CliCommand {
  const { description, examples, args, repeatable = [], run } = options;
  return {
    description,
    examples,
    args,
    repeatable,
    definition: defineCommand({ args, run }) as unknown as CommandDef,
  };
}

/** Arguments every command takes. */
export const globalArgs = {
  help: { type: "boolean", alias: "h", description: "Show this help" },
  verbose: { type: "boolean", description: "Show the stack of errors" },
  color: { type: "boolean", description: "No colours, as with NO_COLOR set", default: true },
} as const satisfies ArgsDef;
