/** One place where two values are not the same. */
export interface Difference {
  /** For example `calls[0].trailer.x-cost`. */
  readonly path: string;
  readonly left: unknown;
  readonly right: unknown;
}

/** Every place where two plain values differ. */
export function differences(left: unknown, right: unknown, path = ""): Difference[] {
  if (Object.is(left, right)) return [];
  if (!isObject(left) || !isObject(right) || Array.isArray(left) !== Array.isArray(right)) {
    return [{ path: path === "" ? "(all)" : path, left, right }];
  }
  const keys = [...new Set([...Object.keys(left), ...Object.keys(right)])];
  const isArray = Array.isArray(left);
  const found = keys.flatMap((key) =>
    differences(left[key], right[key], isArray ? `${path}[${key}]` : path ? `${path}.${key}` : key),
  );
  // One item more shifts all that follow: the lengths say so at once.
  if (isArray && left.length !== right.length) {
    found.unshift({ path: `${path}.length`, left: left.length, right: right.length });
  }
  return found;
}

/** A line for each difference: where, and the two values, each under the name of its side. */
export function explain(
  all: readonly Difference[],
  leftName: string,
  rightName: string,
  limit = 20,
): string {
  const width = Math.max(leftName.length, rightName.length);
  const lines = all
    .slice(0, limit)
    .flatMap(({ path, left, right }) => [
      `  ${path}`,
      `    ${leftName.padEnd(width)}  ${shown(left)}`,
      `    ${rightName.padEnd(width)}  ${shown(right)}`,
    ]);
  if (all.length > limit) lines.push(`  and ${all.length - limit} more`);
  return lines.join("\n");
}

function shown(value: unknown): string {
  if (value === undefined) return "(missing)";
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
