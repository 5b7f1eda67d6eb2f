import type { JsonValue } from "@bufbuild/protobuf";
import { create, toBinary, toJson } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";

export interface ErrorDetail {
  /** Type name of the message, without the prefix of an `Any`. */
  readonly type: string;
  readonly value: Uint8Array;
  readonly debug?: JsonValue;
}

/** The details of an error as bytes, whether it was made here or received from another server. */
export function serializeDetails(error: ConnectError): ErrorDetail[] {
  return error.details.map((detail) => {
    if (!("desc" in detail)) return detail as ErrorDetail;
    const message = create(detail.desc, detail.value);
    const value = toBinary(detail.desc, message);
    return { type: detail.desc.typeName, value, debug: debugJson(detail.desc, message) };
  });
}

/** For people who read the answer; left out where a message has no JSON form, as an unknown Any. */
function debugJson(...args: Parameters<typeof toJson>): JsonValue | undefined {
  try {
    return toJson(...args);
  } catch {
    return undefined;
  }
}
