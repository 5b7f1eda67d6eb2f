import { ConnectumError } from "../../core/index.ts";
import { show } from "../../core/internal.ts";
import type { Semconv } from "../semconv.ts";

/** Variables as a process has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** `OTEL_SEMCONV_STABILITY_OPT_IN` is a list for all kinds of conventions; `rpc` ones count here. */
export function semconvFromEnv(env: Environment = process.env): Semconv {
  const list = listOf(env, "OTEL_SEMCONV_STABILITY_OPT_IN");
  if (list.includes("rpc/dup")) return "dup";
  return list.includes("rpc") ? "stable" : "connectum";
}

/** A variable that is unset, empty or only blanks counts as unset, as OpenTelemetry asks. */
export function textOf(env: Environment, name: string): string | undefined {
  return env[name]?.trim() || undefined;
}

export function listOf(env: Environment, name: string): string[] {
  const items = (textOf(env, name) ?? "").split(",");
  return items.map((item) => item.trim()).filter((item) => item !== "");
}

export function booleanOf(env: Environment, name: string): boolean {
  const text = textOf(env, name)?.toLowerCase();
  if (text === undefined || ["false", "0", "no"].includes(text)) return false;
  if (["true", "1", "yes"].includes(text)) return true;
  throw wrong(env, name, "must be true or false");
}

export function integerOf(env: Environment, name: string, min: number, max = 2 ** 31 - 1) {
  const text = textOf(env, name);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw wrong(env, name, `must be an integer from ${min} to ${max}`);
}

export function choiceOf<T extends string>(
  env: Environment,
  name: string,
  choices: readonly T[],
): T | undefined {
  const text = textOf(env, name)?.toLowerCase();
  if (text === undefined || choices.includes(text as T)) return text as T | undefined;
  throw wrong(env, name, `must be one of ${choices.join(", ")}`);
}

/** Pairs `key=value`, percent-encoded, separated by commas. */
export function pairsOf(env: Environment, name: string): Record<string, string> {
  const pairs: Record<string, string> = {};
  for (const item of listOf(env, name)) {
    const [, key, value] = /^([^=]+?)\s*=\s*(.*)$/.exec(item) ?? [];
    if (key === undefined || value === undefined) {
      throw wrong(env, name, "must be a list like key=value,other=value");
    }
    try {
      pairs[decodeURIComponent(key)] = decodeURIComponent(value);
    } catch {
      throw wrong(env, name, "has a percent sign that encodes nothing; write it as %25");
    }
  }
  return pairs;
}

/** Checks an URL that an exporter reads by itself. */
export function checkUrl(env: Environment, name: string): void {
  const text = textOf(env, name);
  if (text === undefined || /^https?:\/\/[^/]/i.test(text)) return;
  throw wrong(env, name, "must be a URL like http://collector:4318");
}

export function wrong(env: Environment, name: string, rule: string): ConnectumError {
  return new ConnectumError("INVALID_OPTION", `${name} ${rule}, got ${show(env[name])}`);
}
