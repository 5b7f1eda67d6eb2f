import type { Comparison, RowResult, Target } from "./row.ts";
import { isReached } from "./row.ts";
import { formatNumber } from "./table.ts";

/** What `npm run bench -- --json` writes. */
export interface BenchReport {
  readonly machine: readonly string[];
  readonly rows: ReadonlyArray<{
    readonly id: string;
    readonly what: string;
    /** By Node version. */
    readonly nodes: Readonly<Record<string, RowResult>>;
  }>;
}

export interface MarkdownTable {
  readonly text: string;
  /** Missed targets without an explanation, as "P8 what is compared". */
  readonly unexplained: readonly string[];
}

/**
 * The comparisons that have a target, one line each: median (min to max) for each Node version. A missed
 * target refers to its explanation, which `explanations` has under "P8 what is compared".
 */
export function markdownTable(
  { machine, rows }: BenchReport,
  explanations: Readonly<Record<string, string>>,
): MarkdownTable {
  const versions = Object.keys(rows[0]?.nodes ?? {});
  const lines: string[] = [];
  const notes: string[] = [];
  const unexplained: string[] = [];
  for (const { id, what, nodes } of rows) {
    const compared = new Set(targeted(Object.values(nodes)).map((comparison) => comparison.what));
    let label = what;
    for (const name of compared) {
      const inEach = versions.map((version) =>
        targeted([nodes[version]]).find((comparison) => comparison.what === name),
      );
      const target = inEach.find((comparison) => comparison)?.target as Target;
      const isMissed = inEach.some((one) => one && !isReached(target, one.ratio.median));
      let mark = "";
      if (isMissed) {
        const key = `${id} ${name}`;
        const explanation = explanations[key];
        if (explanation === undefined) unexplained.push(key);
        notes.push(`${key}: ${explanation ?? "not explained yet."}`);
        mark = ` missed, note ${notes.length}`;
      }
      const cells = inEach.map((comparison) => (comparison ? formatRatio(comparison) : ""));
      lines.push(row([id, label, name, ...cells, `${formatTarget(target)}${mark}`]));
      label = "";
    }
  }
  const header = ["", "what", "ratio", ...versions.map(majorOf), "target"];
  const text = [
    row(header),
    row(header.map(() => "---")),
    ...lines,
    "",
    `Node ${versions.join(" and ")}; median (lowest to highest). ${machine.join("; ")}.`,
    ...(notes.length === 0
      ? []
      : ["", ...notes.map((note, index) => `${index + 1}. ${escapeCell(note)}`)]),
  ].join("\n");
  return { text, unexplained };
}

function targeted(results: ReadonlyArray<RowResult | undefined>): Comparison[] {
  return results.flatMap((result) => result?.comparisons ?? []).filter(({ target }) => target);
}

function formatRatio({ ratio: { min, median, max } }: Comparison): string {
  if (min === max) return formatNumber(median);
  return `${formatNumber(median)} (${formatNumber(min)} to ${formatNumber(max)})`;
}

function formatTarget(target: Target): string {
  return "atLeast" in target ? `at least ${target.atLeast}` : `at most ${target.atMost}`;
}

function majorOf(version: string): string {
  return `Node ${version.split(".")[0]}`;
}

function row(cells: readonly string[]): string {
  return `| ${cells.map(escapeCell).join(" | ")} |`;
}

function escapeCell(text: string): string {
  return text.replaceAll("|", "\\|");
}
