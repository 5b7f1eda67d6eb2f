import type { ReflectionOptions } from "connectum/reflection";
import type { Proofs } from "./proof.ts";

const reflection = "test/reflection/reflection.test.ts";

export const reflectionOptions: Proofs<{ Reflection: keyof ReflectionOptions }> = {
  Reflection: {
    services: [
      reflection,
      "services narrows the list, by descriptor or name, and what can be looked up",
    ],
    exclude: [reflection, "exclude hides services, also from services"],
    enabled: [reflection, "enabled: false mounts nothing"],
  },
};
