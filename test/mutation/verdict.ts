import { countCodeLines } from "./code-lines.ts";
import type { FileReport, Mutant } from "./stryker.ts";
import { knownSurvivors } from "./survivors.ts";

export interface Counts {
  readonly codeLines: number;
  /** Mutants that a test noticed. */
  readonly killed: number;
  /** Of these, the ones whose tests did not end. */
  readonly timedOut: number;
  readonly survived: number;
}

export interface Verdict extends Counts {
  /** Survivors that are not in the list. */
  readonly unexplained: readonly string[];
  /** What is in the list and did not survive. */
  readonly outdated: readonly string[];
}

export function judge(file: string, { source, mutants }: FileReport): Verdict {
  const sourceLines = source.split("\n");
  const known = new Set(
    (knownSurvivors[file] ?? []).flatMap(({ line, becomes }) =>
      becomes.map((changed) => describe(line, changed)),
    ),
  );
  const surviving = mutants
    .filter(({ status }) => status === "Survived" || status === "NoCoverage")
    .map((mutant) => describeMutant(sourceLines, mutant));
  const count = (status: Mutant["status"]) => mutants.filter((it) => it.status === status).length;
  return {
    codeLines: countCodeLines(source),
    killed: count("Killed") + count("Timeout"),
    timedOut: count("Timeout"),
    survived: surviving.length,
    unexplained: surviving.filter((description) => !known.has(description)),
    outdated: [...known].filter((description) => !surviving.includes(description)),
  };
}

/** In percent of what was tested; 100 where there was nothing to test. */
export function scoreOf({ killed, survived }: Pick<Counts, "killed" | "survived">): number {
  return killed + survived === 0 ? 100 : (100 * killed) / (killed + survived);
}

function describeMutant(sourceLines: readonly string[], { location, replacement }: Mutant): string {
  const { start, end } = location;
  const line = sourceLines[start.line - 1] ?? "";
  const rest = start.line === end.line ? line.slice(end.column - 1) : " …";
  const changed = `${line.slice(0, start.column - 1)}${replacement}${rest}`;
  return describe(line.trim(), changed.replace(/\s+/g, " ").trim());
}

function describe(line: string, changed: string): string {
  return `${line}\n  -> ${changed}`;
}
