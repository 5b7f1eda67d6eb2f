/** Stable codes of {@link ConnectumError}; compare these, not messages. */
export type ConnectumErrorCode =
  | "CATALOG_CONFIG"
  | "DUPLICATE_METHOD"
  | "DUPLICATE_PROTOCOL"
  | "HOOK_CYCLE"
  | "HOOK_TIMEOUT"
  | "INVALID_OPTION"
  | "INVALID_STATE"
  | "LISTEN_FAILED"
  | "MISSING_PACKAGE"
  | "NO_HEALTHCHECK"
  | "TLS_EXPIRED"
  | "TLS_FILE"
  | "TLS_KEY_MISMATCH"
  | "UNKNOWN_HOOK"
  | "UNKNOWN_SERVICE"
  | "UNSUPPORTED_KEY"
  | "UNSUPPORTED_METHODS";

/**
 * A mistake in how the package is used, for the developer; never sent to a client.
 * Errors for the wire are `ConnectError`s.
 */
export class ConnectumError extends Error {
  override readonly name: string = "ConnectumError";
  readonly code: ConnectumErrorCode;

  constructor(code: ConnectumErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
