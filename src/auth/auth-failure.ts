import type { Peer } from "../core/index.ts";

/** Why a call was refused by an authenticator. For operators; the client never learns it. */
export interface AuthFailure {
  /** `pkg.Service/Method`. */
  readonly method: string;
  /** For example `no credentials` or `jwt expired`. */
  readonly reason: string;
  /** What was thrown, if something was. */
  readonly error?: unknown;
  readonly peer: Peer;
}

/** An authenticator's own "no": its message is the reason operators see. */
export class Refusal extends Error {
  override readonly name: string = "Refusal";
  /** What the client reads. Default "Authentication failed". */
  readonly answer: string | undefined;

  constructor(reason: string, answer?: string) {
    super(reason);
    this.answer = answer;
  }
}

/** The reason of something thrown while credentials were checked. */
export function reasonOf(thrown: unknown): string {
  return thrown instanceof Error && thrown.message !== "" ? thrown.message : "credentials refused";
}
