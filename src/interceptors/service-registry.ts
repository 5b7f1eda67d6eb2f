import { createRegistry, type DescService, type Registry } from "@bufbuild/protobuf";
import { filesOf } from "../core/internal.ts";

/** Every type in the files of these services and in what they import. */
export function registryOf(services: readonly DescService[]): Registry {
  return createRegistry(...filesOf(services));
}
