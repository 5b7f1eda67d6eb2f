import { type ContextValues, createContextKey } from "@connectrpc/connect";
import { callerValuesKey } from "../core/internal.ts";
import type { Identity } from "./current-auth.ts";

/** Whom an outgoing call is made for. It reaches a callee in this process and nobody else. */
export const propagatedKey = createContextKey<Identity | undefined>(undefined, {
  description: "connectum propagated identity",
});

/** The identity a caller in this process has passed on, if it did. */
export function propagatedTo(values: ContextValues): Identity | undefined {
  return values.get(callerValuesKey)?.get(propagatedKey);
}
