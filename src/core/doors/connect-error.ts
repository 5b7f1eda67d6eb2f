import type { JsonValue } from "@bufbuild/protobuf";
import { Code, type ConnectError } from "@connectrpc/connect";
import { type ErrorDetail, serializeDetails } from "./error-details.ts";

interface ErrorJson {
  readonly code: string;
  readonly message?: string;
  readonly details?: ReadonlyArray<{ type: string; value: string; debug?: JsonValue }>;
}

/** https://connectrpc.com/docs/protocol#error-end-stream */
export function errorToJson(error: ConnectError): ErrorJson {
  let details: ErrorDetail[];
  try {
    details = serializeDetails(error);
  } catch {
    return { code: "internal", message: "error details cannot be written" };
  }
  return {
    code: codeName(error.code),
    message: error.rawMessage || undefined,
    details:
      details.length === 0
        ? undefined
        : details.map(({ type, value, debug }) => ({
            type,
            value: Buffer.from(value).toString("base64").replace(/=+$/, ""),
            debug,
          })),
  };
}

/** `permission_denied` for `Code.PermissionDenied`. */
export function codeName(code: Code): string {
  const name = Code[code] ?? "Unknown";
  return name.replace(/(?<!^)[A-Z]/g, "_$&").toLowerCase();
}

/** https://connectrpc.com/docs/protocol#error-codes */
export function httpStatus(code: Code): number {
  return statuses[code] ?? 500;
}

const statuses: Readonly<Partial<Record<Code, number>>> = {
  [Code.Canceled]: 499,
  [Code.Unknown]: 500,
  [Code.InvalidArgument]: 400,
  [Code.DeadlineExceeded]: 504,
  [Code.NotFound]: 404,
  [Code.AlreadyExists]: 409,
  [Code.PermissionDenied]: 403,
  [Code.ResourceExhausted]: 429,
  [Code.FailedPrecondition]: 400,
  [Code.Aborted]: 409,
  [Code.OutOfRange]: 400,
  [Code.Unimplemented]: 501,
  [Code.Internal]: 500,
  [Code.Unavailable]: 503,
  [Code.DataLoss]: 500,
  [Code.Unauthenticated]: 401,
};
