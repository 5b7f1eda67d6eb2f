import { ConnectumError } from "./errors.ts";

/** Throws unless `value` is an integer from `min` to `max`. */
export function checkInteger(name: string, value: number, min: number, max: number): void {
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new ConnectumError(
      "INVALID_OPTION",
      `${name} must be an integer from ${min} to ${max}, got ${show(value)}`,
    );
  }
}

/** Longest delay a Node timer takes; a longer one would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Throws unless `value` is a whole number of milliseconds that a timer can wait. */
export function checkMs(name: string, value: number, min = 0): void {
  checkInteger(name, value, min, MAX_TIMER_MS);
}

/** Throws unless `value` is a finite number from `min` to `max`. */
export function checkNumber(name: string, value: number, min: number, max: number): void {
  if (typeof value !== "number" || !(value >= min && value <= max)) {
    throw new ConnectumError(
      "INVALID_OPTION",
      `${name} must be a number from ${min} to ${max}, got ${show(value)}`,
    );
  }
}

/** Throws unless `value` is true or false. */
export function checkBoolean(name: string, value: boolean): void {
  if (typeof value !== "boolean") {
    throw new ConnectumError("INVALID_OPTION", `${name} must be true or false, got ${show(value)}`);
  }
}

/** Throws unless `value` is a function. */
export function checkFunction(name: string, value: unknown): void {
  if (typeof value !== "function") {
    throw new ConnectumError("INVALID_OPTION", `${name} must be a function, got ${show(value)}`);
  }
}

/** Throws unless `value` is an array; with `checkItem` every item must pass it under its own name. */
export function checkList<T>(
  name: string,
  value: readonly T[],
  checkItem: (name: string, item: T) => void = () => {},
): void {
  if (!Array.isArray(value)) {
    throw new ConnectumError("INVALID_OPTION", `${name} must be an array, got ${show(value)}`);
  }
  for (const [index, item] of value.entries()) checkItem(`${name}[${index}]`, item);
}

/** Throws unless `value` is a string with something in it. */
export function checkText(name: string, value: unknown): void {
  if (typeof value !== "string" || value === "") {
    throw new ConnectumError(
      "INVALID_OPTION",
      `${name} must be a string that is not empty, got ${show(value)}`,
    );
  }
}

/** Throws unless `value` is an object, and no list. */
export function checkObject(name: string, value: unknown): void {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new ConnectumError("INVALID_OPTION", `${name} must be an object, got ${show(value)}`);
  }
}

/** Throws unless `value` is one of `allowed`. */
export function checkOneOf<T>(name: string, value: T, allowed: readonly T[]): void {
  if (!allowed.includes(value)) {
    throw new ConnectumError(
      "INVALID_OPTION",
      `${name} must be one of ${allowed.map(show).join(", ")}, got ${show(value)}`,
    );
  }
}

/** Throws unless `value` has all these methods; `kind` is what has them, such as "a Logger". */
export function checkMethods(
  name: string,
  value: unknown,
  kind: string,
  methods: readonly string[],
): void {
  const found = value as Readonly<Record<string, unknown>> | null | undefined;
  if (methods.every((method) => typeof found?.[method] === "function")) return;
  const calls = methods.map((method) => `${method}()`);
  const list = [calls.slice(0, -1).join(", "), calls.at(-1)].filter(Boolean).join(" and ");
  throw new ConnectumError(
    "INVALID_OPTION",
    `${name} must be ${kind} with ${list}, got ${show(value)}`,
  );
}

/** Throws unless `value` is a number of the enum, which is called `kind`. */
export function checkEnum(
  name: string,
  value: unknown,
  kind: string,
  members: Readonly<Record<number, string>>,
): void {
  if (typeof value === "number" && Object.hasOwn(members, value)) return;
  throw new ConnectumError(
    "INVALID_OPTION",
    `${name} must be a value of ${kind}, got ${show(value)}`,
  );
}

/** Throws when `bag` has a key that is not in `known`, naming the nearest one that is. */
export function checkKeys(
  where: string,
  bag: object,
  known: readonly string[],
  retired: Readonly<Record<string, string>> = {},
): void {
  if (typeof bag !== "object" || bag === null) {
    throw new ConnectumError(
      "INVALID_OPTION",
      `${where} takes an object of options, got ${show(bag)}`,
    );
  }
  for (const key of Object.keys(bag)) {
    if (known.includes(key)) continue;
    const replacement = Object.hasOwn(retired, key) ? retired[key] : undefined;
    if (replacement !== undefined) {
      throw new ConnectumError(
        "INVALID_OPTION",
        `${where} no longer takes "${key}": ${replacement}`,
      );
    }
    throw new ConnectumError(
      "INVALID_OPTION",
      `${where} has no option "${key}"; did you mean "${nearest(key, known)}"?`,
    );
  }
}

/** The candidate that `word` begins, or else the one with the smallest edit distance to it. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const begun = candidates.find((candidate) => candidate.startsWith(word));
  if (begun !== undefined) return begun;
  let best: string | undefined;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) {
      bestDistance = distance;
      best = candidate;
    }
  }
  return best;
}

function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const substitution = (previous[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1);
      const insertion = (current[column - 1] ?? 0) + 1;
      const deletion = (previous[column] ?? 0) + 1;
      current.push(Math.min(substitution, insertion, deletion));
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}

/** A value as an error message shows it: short, and strings in quotes. */
export function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.slice(0, 60));
  if (typeof value === "function") return "a function";
  if (Array.isArray(value)) return "an array";
  if (typeof value === "object" && value !== null) return "an object";
  return String(value);
}
