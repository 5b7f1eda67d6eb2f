/** Exit codes of every command. */
export const ExitCode = { OK: 0, FAILED: 1, USAGE: 2, INTERRUPTED: 130 } as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

export interface CliErrorOptions extends ErrorOptions {
  /** What to do about it, one line. */
  readonly hint?: string | undefined;
  /** Lines between error and hint, such as decoded error details. */
  readonly notes?: readonly string[];
  /** Default 1. */
  readonly exitCode?: ExitCode;
}

/** What a person at the terminal sees: one line, and a hint. */
export class CliError extends Error {
  override readonly name = "CliError";
  readonly hint: string | undefined;
  readonly notes: readonly string[];
  readonly exitCode: ExitCode;

  constructor(message: string, options: CliErrorOptions = {}) {
    const { hint, notes = [], exitCode = ExitCode.FAILED, ...rest } = options;
    super(message, rest);
    this.hint = hint;
    this.notes = notes;
    this.exitCode = exitCode;
  }
}

/** A command line that cannot work, found before anything was done. */
export function usageError(message: string, hint?: string): CliError {
  return new CliError(message, { hint, exitCode: ExitCode.USAGE });
}

/** The text of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The `code` of a Node error such as ENOENT; undefined for everything else. */
export function codeOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === "string" ? code : undefined;
}
