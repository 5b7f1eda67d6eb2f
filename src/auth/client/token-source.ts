import { Code, ConnectError } from "@connectrpc/connect";
import jwt from "jsonwebtoken";
import { ConnectumError } from "../../core/index.ts";
import { show } from "../../core/internal.ts";

export type TokenInput = string | (() => string | Promise<string>);

/** A token this close to its end is not sent any more. */
const MARGIN_MS = 10_000;

/** Keeps a token and fetches the next one, one fetch at a time. */
export class TokenSource {
  readonly #fetch: (() => string | Promise<string>) | undefined;
  #token: string | undefined;
  #expiresAt = Number.POSITIVE_INFINITY;
  #fetching: Promise<string> | undefined;

  constructor(input: TokenInput) {
    if (typeof input === "function") this.#fetch = input;
    else if (typeof input === "string" && isSendable(input)) this.#token = input;
    else {
      throw new ConnectumError(
        "INVALID_OPTION",
        `token must be a non-empty string that a header can carry, or a function, got ${show(typeof input)}`,
      );
    }
  }

  /** Rejects with `unavailable` when there is no token to be had, or with why the call has ended. */
  get(signal: AbortSignal): Promise<string> {
    if (this.#token !== undefined && (!this.#fetch || Date.now() < this.#expiresAt - MARGIN_MS)) {
      return Promise.resolve(this.#token);
    }
    this.#fetching ??= this.#refresh().finally(() => {
      this.#fetching = undefined;
    });
    return untilAborted(this.#fetching, signal);
  }

  /** Forgets a refused token, unless it was replaced already. True if another one can be had. */
  drop(token: string): boolean {
    if (!this.#fetch) return false;
    if (this.#token === token) this.#token = undefined;
    return true;
  }

  async #refresh(): Promise<string> {
    try {
      const token = await this.#fetch?.();
      if (typeof token !== "string" || !isSendable(token)) {
        throw new TypeError("token() must return a non-empty string that a header can carry");
      }
      this.#token = token;
      this.#expiresAt = expiryOf(token);
      return token;
    } catch (cause) {
      if (cause instanceof ConnectError) throw cause;
      const message = "could not get a token for the call";
      throw new ConnectError(message, Code.Unavailable, undefined, undefined, cause);
    }
  }
}

function isSendable(token: string): boolean {
  return /^[!-~]+$/.test(token);
}

/** In milliseconds; a token that does not say lasts until it is refused. */
function expiryOf(token: string): number {
  const payload = token.split(".").length === 3 ? jwt.decode(token) : null;
  const exp = typeof payload === "object" ? payload?.exp : undefined;
  return typeof exp === "number" ? exp * 1000 : Number.POSITIVE_INFINITY;
}

function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(ConnectError.from(signal.reason, Code.Canceled));
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}
