import type { DescMethod } from "@bufbuild/protobuf";
import { type Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import { type Logger, requestIdKey } from "../core/index.ts";
import {
  type AnyRequest,
  checkBoolean,
  checkFunction,
  checkKeys,
  checkLogger,
  codeName,
  markLogged,
  methodName,
} from "../core/internal.ts";
import { defaultLogger } from "./default-logger.ts";
import { watchMessages, withMessages } from "./message-stream.ts";
import { publicError, sanitizedCode } from "./rpc-error.ts";
import { isSanitizableError } from "./sanitizable-error.ts";

/** What an error handler tells of a failed call. */
export interface FailedCall {
  /** What was thrown, whatever it is. Never sent. */
  readonly error: unknown;
  /** What the client gets. */
  readonly code: Code;
  readonly method: DescMethod;
  /** `undefined` where no `createServer()` serves the call. */
  readonly requestId: string | undefined;
}

export interface ErrorHandlerOptions {
  /** Gives a foreign error a code and a text for the client; `undefined` leaves it `internal`. */
  readonly mapError?: (error: unknown) => ConnectError | undefined;
  /** Sees every error of a call, the original included. What it throws is ignored. */
  readonly onError?: (failure: FailedCall) => void;
  /** Writes every error to `logger`. Default false. */
  readonly logErrors?: boolean;
  /** With `logErrors`: the stack as well. Default false. */
  readonly includeStackTrace?: boolean;
  /** Default: pino, on standard output. */
  readonly logger?: Logger;
}

/**
 * Decides what a client learns of an error. `ConnectError`s pass, a {@link SanitizableError} shows its
 * `clientMessage`, everything else is `internal error`. In streams as well, before and after messages.
 */
export function createErrorHandlerInterceptor(options: ErrorHandlerOptions = {}): Interceptor {
  checkKeys("errorHandler", options, [
    "mapError",
    "onError",
    "logErrors",
    "includeStackTrace",
    "logger",
  ] satisfies ReadonlyArray<keyof ErrorHandlerOptions>);
  const { mapError, onError, logErrors = false, includeStackTrace = false } = options;
  if (mapError !== undefined) checkFunction("errorHandler.mapError", mapError);
  if (onError !== undefined) checkFunction("errorHandler.onError", onError);
  checkBoolean("errorHandler.logErrors", logErrors);
  checkBoolean("errorHandler.includeStackTrace", includeStackTrace);
  if (options.logger !== undefined) checkLogger("errorHandler.logger", options.logger);
  const logger = logErrors ? (options.logger ?? defaultLogger()) : undefined;

  const handle = (thrown: unknown, request: AnyRequest): ConnectError => {
    const error = toClientError(thrown, request, mapError);
    if (onError || logger) {
      const failure = {
        error: thrown,
        code: error.code,
        method: request.method,
        requestId: request.contextValues.get(requestIdKey) || undefined,
      };
      if (logger) {
        markLogged(error);
        attempt(() => log(logger, failure, includeStackTrace));
      }
      if (onError) attempt(() => onError(failure));
    }
    return error;
  };

  return (next) => async (request) => {
    try {
      const response = await next(request);
      if (!response.stream) return response;
      const onError = (thrown: unknown) => handle(thrown, request);
      return withMessages(response, watchMessages(response.message, { onError }));
    } catch (thrown) {
      throw handle(thrown, request);
    }
  };
}

function toClientError(
  thrown: unknown,
  request: AnyRequest,
  mapError: ErrorHandlerOptions["mapError"],
): ConnectError {
  if (isSanitizableError(thrown)) {
    const { clientMessage, metadata, details } = thrown;
    const code = sanitizedCode(thrown);
    const error = new ConnectError(clientMessage, code, metadata, undefined, thrown);
    if (Array.isArray(details)) error.details = details;
    return error;
  }
  if (thrown instanceof ConnectError) return thrown;
  const mapped = mapError && attempt(() => mapError(thrown));
  return mapped instanceof ConnectError ? mapped : publicError(thrown, request);
}

function log(
  logger: Logger,
  { error, code, method, requestId }: FailedCall,
  withStack: boolean,
): void {
  const err = withStack || !(error instanceof Error) ? error : summary(error);
  const { serverDetails } = isSanitizableError(error) ? error : { serverDetails: undefined };
  logger.error(
    { err, code: codeName(code), method: methodName(method), requestId, serverDetails },
    "call failed",
  );
}

function summary({ name, message }: Error) {
  return { type: name, message };
}

/** Runs what users gave us: a failure of theirs must not hide the one it is about. */
function attempt<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch {
    return undefined;
  }
}
