import { ConnectumError } from "../../core/index.ts";

/** What an optional package gives; throws MISSING_PACKAGE saying how to install one that is absent. */
export async function loadPackage<T>(
  name: string,
  reason: string,
  load: () => Promise<T>,
): Promise<T> {
  try {
    return await load();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ERR_MODULE_NOT_FOUND") throw error;
    throw new ConnectumError(
      "MISSING_PACKAGE",
      `${reason} needs the package ${name}, which is not installed; run: npm install ${name}`,
      { cause: error },
    );
  }
}
