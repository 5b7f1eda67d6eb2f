import { readFileSync } from "node:fs";

/** How one kind of client makes the two calls of the load. */
export interface Caller {
  /** Resolves with the greeting. */
  unary(name: string): Promise<string>;
  /** Yields the greetings. */
  stream(name: string): AsyncIterable<string>;
}

export interface Target {
  /** `host:port` of the balancer. */
  readonly authority: string;
  /** The certificate authority to trust; plaintext without. */
  readonly ca: Buffer | undefined;
}

/** No call of the load needs nearly as long. */
export const callLimitMs = 20_000;

export function targetOf(authority: string, caFile: string | undefined): Target {
  return { authority, ca: caFile ? readFileSync(caFile) : undefined };
}

export function baseUrlOf({ authority, ca }: Target): string {
  return `${ca ? "https" : "http"}://${authority}`;
}

/** A call that failed in the client's own HTTP/2 stack before any byte of it was sent. */
export class NeverSentError extends Error {
  constructor(cause: unknown) {
    super("never sent", { cause });
  }
}
