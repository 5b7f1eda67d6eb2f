import type { Semconv } from "../semconv.ts";

/** Variables as a process has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** `OTEL_SEMCONV_STABILITY_OPT_IN` is a list for all kinds of conventions; `rpc` ones count here. */
export function semconvFromEnv(env: Environment = process.env): Semconv {
  const list = (env.OTEL_SEMCONV_STABILITY_OPT_IN ?? "").split(",").map((item) => item.trim());
  if (list.includes("rpc/dup")) return "dup";
  return list.includes("rpc") ? "stable" : "connectum";
}
