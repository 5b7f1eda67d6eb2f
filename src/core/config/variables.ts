import { isIP } from "node:net";
import { z } from "zod";

/** A variable with a default; unset and empty are the same. `read` returns undefined for a bad value. */
export function variable<T>(
  name: string,
  rule: string,
  read: (text: string) => T | undefined,
  fallback: T,
) {
  return text(name).transform((value, context): T => {
    if (!value) return fallback;
    const result = read(value);
    if (result !== undefined) return result;
    context.addIssue({ code: "custom", message: complaint(name, rule, value) });
    return z.NEVER;
  });
}

export function integer(name: string, min: number, max: number, fallback: number) {
  const read = (value: string) => {
    const number = Number(value);
    const isInRange = /^\d+$/.test(value) && number >= min && number <= max;
    return isInRange ? number : undefined;
  };
  return variable(name, `an integer from ${min} to ${max}`, read, fallback);
}

const booleans = new Map([
  ["true", true],
  ["1", true],
  ["yes", true],
  ["false", false],
  ["0", false],
  ["no", false],
]);

export function boolean(name: string, fallback: boolean) {
  const read = (value: string) => booleans.get(value.toLowerCase());
  return variable(name, `one of ${[...booleans.keys()].join(", ")}`, read, fallback);
}

export function oneOf<const T extends string>(name: string, values: readonly T[], fallback: T) {
  const read = (value: string) => values.find((candidate) => candidate === value);
  return variable<T>(name, `one of ${values.join(", ")}`, read, fallback);
}

export function host(name: string, fallback: string) {
  const read = (value: string) =>
    isIP(value) !== 0 || hostPattern.test(value) ? value : undefined;
  return variable(name, "an IP address or a host name", read, fallback);
}

const hostPattern = /^[a-z\d]([a-z\d-]*[a-z\d])?(\.[a-z\d]([a-z\d-]*[a-z\d])?)*\.?$/i;

export function urlPath(name: string, fallback: string) {
  const read = (value: string) => (/^\/[^\s?#]*$/.test(value) ? value : undefined);
  return variable(name, 'a path that begins with "/", without query', read, fallback);
}

export function httpUrl(name: string) {
  const read = (value: string) =>
    /^https?:\/\//i.test(value) && URL.canParse(value) ? value : undefined;
  return variable<string | undefined>(name, "an http or https URL", read, undefined);
}

/** Any text; undefined if unset or empty. */
export function optionalText(name: string) {
  return text(name).transform((value): string | undefined => value || undefined);
}

function text(name: string) {
  return z.string({ error: ({ input }) => complaint(name, "text", input) }).optional();
}

function complaint(name: string, rule: string, value: unknown): string {
  const shown = JSON.stringify(value) ?? String(value);
  return `${name} must be ${rule}, got ${shown.length > 80 ? `${shown.slice(0, 80)}…` : shown}`;
}
