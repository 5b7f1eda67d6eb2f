import { createRequire } from "node:module";
import { ConnectumError } from "../core/index.ts";

const require = createRequire(import.meta.url);

/** Loads a package that users install themselves. Throws `MISSING_PACKAGE` with the command to run. */
export function requirePeer<T>(name: string, neededFor: string, install = name): T {
  try {
    return require(name) as T;
  } catch (cause) {
    throw new ConnectumError(
      "MISSING_PACKAGE",
      `${neededFor} needs the package ${name}, which is not installed; run: npm i -D ${install}`,
      { cause },
    );
  }
}
