import { randomUUID } from "node:crypto";
import type { HeaderFields } from "./rpc-headers.ts";

export const REQUEST_ID_HEADER = "x-request-id";

const sanePattern = /^[\w.:+/=@-]{1,128}$/;

/** What the caller names its call, if it is fit for logs and headers; otherwise a name of ours. */
export function requestIdOf(headers: HeaderFields): string {
  const given = headers[REQUEST_ID_HEADER];
  return typeof given === "string" && sanePattern.test(given) ? given : randomUUID();
}
