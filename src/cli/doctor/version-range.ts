/**
 * Whether a version is in a range as package.json of this package writes them: `^1.2`, `~1.2.3`,
 * `>=1.2 <2`, `1.2.3`, `*`. Prereleases count as their release.
 */
export function isInRange(version: string, range: string): boolean {
  const actual = parse(version);
  return range
    .split(/\s+/)
    .filter((part) => part !== "" && part !== "*")
    .every((part) => satisfies(actual, part));
}

type Version = readonly [major: number, minor: number, patch: number];

function parse(text: string): Version {
  const [major = 0, minor = 0, patch = 0] = text
    .replace(/[-+].*$/, "")
    .split(".")
    .map(Number);
  return [major, minor, patch];
}

function satisfies(actual: Version, part: string): boolean {
  const [, operator = "", text = ""] = /^([\^~<>=]*)v?(.*)$/.exec(part) ?? [];
  const wanted = parse(text);
  const order = compare(actual, wanted);
  switch (operator) {
    case ">=":
      return order >= 0;
    case ">":
      return order > 0;
    case "<":
      return order < 0;
    case "<=":
      return order <= 0;
    case "~":
      return order >= 0 && actual[0] === wanted[0] && actual[1] === wanted[1];
    case "^":
      return order >= 0 && actual[0] === wanted[0] && (wanted[0] > 0 || actual[1] === wanted[1]);
    default:
      return order === 0;
  }
}

function compare(a: Version, b: Version): number {
  for (const index of [0, 1, 2] as const) {
    if (a[index] !== b[index]) return a[index] - b[index];
  }
  return 0;
}
