import type { Comparison, RowResult, Target } from "./row.ts";
import { isReached } from "./row.ts";
import type { Spread } from "./statistics.ts";

export interface MeasuredRow {
  readonly id: string;
  readonly what: string;
  /** By Node version. */
  readonly results: ReadonlyMap<string, RowResult>;
}

/** One line per comparison, one column per Node version: min / median / max, and whether the median is right. */
export function formatTable(rows: readonly MeasuredRow[], versions: readonly string[]): string {
  const lines = [["row", "ratio", "target", ...versions.map((version) => `Node ${version}`)]];
  for (const { id, results } of rows) {
    const all = versions.flatMap((version) => results.get(version)?.comparisons ?? []);
    for (const what of new Set(all.map((comparison) => comparison.what))) {
      const { target } = all.find((comparison) => comparison.what === what) as Comparison;
      const cells = versions.map((version) => {
        const { comparisons = [] } = results.get(version) ?? {};
        const comparison = comparisons.find((candidate) => candidate.what === what);
        return comparison ? formatComparison(comparison) : "";
      });
      lines.push([id, what, formatTarget(target), ...cells]);
    }
  }
  return align(lines);
}

/** The absolute figures, which mean something on this machine only. */
export function formatFigures(rows: readonly MeasuredRow[], versions: readonly string[]): string {
  const lines = [["row", "figure", "unit", ...versions.map((version) => `Node ${version}`)]];
  for (const { id, results } of rows) {
    const all = versions.flatMap((version) => results.get(version)?.figures ?? []);
    const keys = new Map(all.map(({ what, unit }) => [`${what} ${unit}`, { what, unit }]));
    for (const { what, unit } of keys.values()) {
      const cells = versions.map((version) => {
        const { figures = [] } = results.get(version) ?? {};
        const figure = figures.find((one) => one.what === what && one.unit === unit);
        return figure ? formatSpread(figure.value) : "";
      });
      lines.push([id, what, unit, ...cells]);
    }
  }
  return align(lines);
}

/** How many targets the medians miss. */
export function countMissed(rows: readonly MeasuredRow[]): number {
  return rows
    .flatMap(({ results }) => [...results.values()])
    .flatMap(({ comparisons }) => comparisons)
    .filter(({ target, ratio }) => target && !isReached(target, ratio.median)).length;
}

function formatComparison({ ratio, target }: Comparison): string {
  const verdict = !target ? "" : isReached(target, ratio.median) ? "  ok" : "  MISSED";
  return `${formatSpread(ratio)}${verdict}`;
}

function formatTarget(target: Target | undefined): string {
  if (!target) return "";
  return "atLeast" in target ? `>= ${target.atLeast}` : `<= ${target.atMost}`;
}

function formatSpread({ min, median, max }: Spread): string {
  if (min === max) return formatNumber(median);
  return [min, median, max].map(formatNumber).join(" / ");
}

export function formatNumber(value: number): string {
  if (Math.abs(value) >= 1000)
    return Math.round(value).toLocaleString("en-US").replaceAll(",", " ");
  return Math.abs(value) >= 20 ? value.toFixed(1) : value.toFixed(2);
}

function align(lines: readonly string[][]): string {
  const widths = (lines[0] ?? []).map((_, column) =>
    Math.max(...lines.map((line) => line[column]?.length ?? 0)),
  );
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
