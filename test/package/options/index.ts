import { authOptions } from "./auth.ts";
import { coreOptions } from "./core.ts";
import { healthcheckOptions } from "./healthcheck.ts";
import { interceptorOptions } from "./interceptors.ts";
import { otelOptions } from "./otel.ts";
import type { Proof } from "./proof.ts";
import { reflectionOptions } from "./reflection.ts";
import { testingOptions } from "./testing.ts";

/** Every option of every subpath, by the function that takes it. */
export const optionsByTaker: Readonly<Record<string, Readonly<Record<string, Proof>>>> = {
  ...coreOptions,
  ...healthcheckOptions,
  ...reflectionOptions,
  ...interceptorOptions,
  ...authOptions,
  ...otelOptions,
  ...testingOptions,
};
