import type { AuthContextInit } from "../auth-context.ts";
import type { AuthCall } from "../authenticator.ts";

type Maybe<T> = T | null | undefined;

/** How a service of your own shows which one it is. */
export interface InternalTrust {
  /** Headers that carry its proof, lower-case; they are removed from the call in every outcome. */
  readonly headers: readonly string[];
  /** The proof of a call, if it has one. `headers` holds what was removed. */
  proof(call: AuthCall, headers: ReadonlyMap<string, string>): Maybe<string>;
  /** Whose proof it is. Null or a throw refuses it. */
  verify(proof: string, call: AuthCall): Maybe<AuthContextInit> | Promise<Maybe<AuthContextInit>>;
}
