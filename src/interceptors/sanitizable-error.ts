import type { Code, ConnectError } from "@connectrpc/connect";

/**
 * An error with a text for the client beside the one for the log. Any error that has these
 * properties counts, whatever its class; error handlers send `clientMessage` and nothing else of it.
 */
export interface SanitizableError extends Error {
  readonly clientMessage: string;
  /** Default `internal`. */
  readonly code?: Code;
  /** For logs and `onError` only. */
  readonly serverDetails?: Readonly<Record<string, unknown>>;
  /** Sent with the error. */
  readonly details?: ConnectError["details"];
  /** Sent with the error. */
  readonly metadata?: Headers;
}

/** Whether an error brings its own text for the client. */
export function isSanitizableError(error: unknown): error is SanitizableError {
  const { clientMessage } = (error ?? {}) as { clientMessage?: unknown };
  return error instanceof Error && typeof clientMessage === "string";
}
