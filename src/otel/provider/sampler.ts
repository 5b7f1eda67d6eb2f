import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  ParentBasedSampler,
  type Sampler,
  TraceIdRatioBasedSampler,
} from "@opentelemetry/sdk-trace-node";
import { choiceOf, type Environment, textOf, wrong } from "./environment.ts";

export interface SamplerChoice {
  readonly root: "always_on" | "always_off" | "traceidratio";
  readonly isParentBased: boolean;
  readonly ratio: number;
}

const names = [
  "always_on",
  "always_off",
  "traceidratio",
  "parentbased_always_on",
  "parentbased_always_off",
  "parentbased_traceidratio",
] as const;

/** `OTEL_TRACES_SAMPLER` and its argument; every trace that a sampled parent has, and every root. */
export function samplerFromEnv(env: Environment): SamplerChoice {
  const name = choiceOf(env, "OTEL_TRACES_SAMPLER", names) ?? "parentbased_always_on";
  const root = name.replace("parentbased_", "") as SamplerChoice["root"];
  const isParentBased = name.startsWith("parentbased_");
  const text = textOf(env, "OTEL_TRACES_SAMPLER_ARG");
  if (root !== "traceidratio" || text === undefined) return { root, isParentBased, ratio: 1 };
  const ratio = Number(text);
  if (ratio >= 0 && ratio <= 1) return { root, isParentBased, ratio };
  throw wrong(env, "OTEL_TRACES_SAMPLER_ARG", "must be a number from 0 to 1");
}

export function createSampler({ root, isParentBased, ratio }: SamplerChoice): Sampler {
  const sampler = rootSampler(root, ratio);
  return isParentBased ? new ParentBasedSampler({ root: sampler }) : sampler;
}

function rootSampler(root: SamplerChoice["root"], ratio: number): Sampler {
  if (root === "traceidratio") return new TraceIdRatioBasedSampler(ratio);
  return root === "always_on" ? new AlwaysOnSampler() : new AlwaysOffSampler();
}
