export interface Survivor {
  /** A line of the source, without its indentation. */
  readonly line: string;
  /** What it reads as in mutants that no test tells from it; a block that is gone reads `{} …`. */
  readonly becomes: readonly string[];
  readonly why: string;
}

/** Every mutant that lives on, by file. Whoever changes such a line looks at its reason again. */
export const knownSurvivors: Readonly<Record<string, readonly Survivor[]>> = {};
