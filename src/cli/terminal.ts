import type { WriteStream } from "node:tty";

type Stream = NodeJS.WriteStream | WriteStream;
export type Paint = Readonly<Record<keyof typeof STYLES, (text: string) => string>>;

const STYLES = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
} as const;

let colorsAsked = true;

/** What `--no-color` does. */
export function disableColors(): void {
  colorsAsked = false;
}

/** Colours for this stream; plain text when it is no terminal, with NO_COLOR or a dumb terminal. */
export function paint(stream: Stream): Paint {
  const { NO_COLOR = "", TERM } = process.env;
  const isOn = colorsAsked && stream.isTTY === true && NO_COLOR === "" && TERM !== "dumb";
  const entries = Object.entries(STYLES).map(([name, [open, close]]) => [
    name,
    (text: string) => (isOn ? `\u001b[${open}m${text}\u001b[${close}m` : text),
  ]);
  return Object.fromEntries(entries);
}

/** Columns text may take: those of the terminal, at most 100; 80 elsewhere. */
export function textWidth(stream: Stream): number {
  return Math.min((stream.isTTY && stream.columns) || 80, 100);
}

/** Whether a person is there to answer questions. */
export function isInteractive(): boolean {
  return process.stdin.isTTY === true && process.stdout.isTTY === true && !process.env.CI;
}

/** Breaks text between words so that no line is longer than `width`. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/).filter(Boolean)) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return line === "" ? lines : [...lines, line];
}

/**
 * Rows in columns as wide as their longest cell; the last column is wrapped, and begins on a line of
 * its own where a cell before it is wider than `maxCell`.
 */
export function columns(
  rows: readonly (readonly string[])[],
  indent: number,
  width: number,
  maxCell = Number.POSITIVE_INFINITY,
): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    row.slice(0, -1).forEach((cell, index) => {
      if (cell.length <= maxCell) widths[index] = Math.max(widths[index] ?? 0, cell.length);
    });
  }
  const left = indent + widths.reduce((sum, cell) => sum + cell + 2, 0);
  const lines: string[] = [];
  for (const row of rows) {
    const head = row.slice(0, -1).map((cell, index) => cell.padEnd(widths[index] ?? 0));
    const last = row.at(-1) ?? "";
    const wrapped = wrap(last, Math.max(20, width - left));
    const isWide = row.slice(0, -1).some((cell) => cell.length > maxCell);
    const [first = "", ...rest] = isWide ? ["", ...wrapped] : wrapped;
    lines.push(`${" ".repeat(indent)}${[...head, first].join("  ")}`.trimEnd());
    for (const line of rest) lines.push(" ".repeat(left) + line);
  }
  return lines;
}
