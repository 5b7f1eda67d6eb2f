/** Prints rows under their headings, columns as wide as they need. */
export function printTable(rows: ReadonlyArray<Readonly<Record<string, string | number>>>): void {
  const headings = Object.keys(rows[0] ?? {});
  const widths = headings.map((heading) =>
    Math.max(heading.length, ...rows.map((row) => String(row[heading]).length)),
  );
  const print = (cells: readonly (string | number)[]) =>
    console.log(
      cells
        .map((cell, index) =>
          typeof cell === "number"
            ? String(cell).padStart(widths[index] ?? 0)
            : cell.padEnd(widths[index] ?? 0),
        )
        .join("  ")
        .trimEnd(),
    );
  print(headings);
  for (const row of rows) print(headings.map((heading) => row[heading] ?? ""));
}
