import { Code } from "@connectrpc/connect";
import { ConnectumError } from "../core/index.ts";
import { show } from "../core/internal.ts";

/** Throws unless `codes` is a list of values of `Code`. */
export function checkCodes(name: string, codes: readonly Code[]): void {
  const isList = Array.isArray(codes);
  const wrong = isList ? codes.find((code) => !isCode(code)) : codes;
  if (isList && wrong === undefined) return;
  throw new ConnectumError(
    "INVALID_OPTION",
    `${name} must be an array of values of Code, got ${show(wrong)}`,
  );
}

/** A digit in quotes is a key of the enum too, and would never match. */
function isCode(code: unknown): boolean {
  return typeof code === "number" && typeof Code[code] === "string";
}
