import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { Code, ConnectError } from "@connectrpc/connect";
import { trailerWithError } from "../rpc/rpc-error.ts";
import type { HeaderFields } from "../rpc/rpc-headers.ts";
import { addHeaders, type Metadata } from "./door.ts";
import { serializeDetails } from "./error-details.ts";

/**
 * The trailers that end a gRPC or gRPC-Web call.
 * https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#responses
 */
export function statusTrailers(
  error: ConnectError | undefined,
  trailer: Metadata["trailer"],
): HeaderFields {
  const fields: HeaderFields = { "grpc-status": error ? String(error.code) : "0" };
  if (error) {
    fields["grpc-message"] = percentEncode(error.rawMessage);
    if (error.details.length > 0) addDetails(fields, error);
  }
  addHeaders(fields, trailerWithError(error, trailer));
  return fields;
}

function addDetails(fields: HeaderFields, error: ConnectError): void {
  let status: Uint8Array;
  try {
    status = encodeStatus(error);
  } catch (cause) {
    const failure = new ConnectError("error details cannot be written", Code.Internal);
    failure.cause = cause;
    fields["grpc-status"] = String(failure.code);
    fields["grpc-message"] = failure.rawMessage;
    return;
  }
  fields["grpc-status-details-bin"] = Buffer.from(status).toString("base64").replace(/=+$/, "");
}

/** `google.rpc.Status { int32 code = 1; string message = 2; repeated Any details = 3; }` */
function encodeStatus(error: ConnectError): Uint8Array {
  const writer = new BinaryWriter();
  writer.tag(1, WireType.Varint).int32(error.code);
  if (error.rawMessage) writer.tag(2, WireType.LengthDelimited).string(error.rawMessage);
  for (const { type, value } of serializeDetails(error)) {
    writer.tag(3, WireType.LengthDelimited).fork();
    writer.tag(1, WireType.LengthDelimited).string(`type.googleapis.com/${type}`);
    if (value.byteLength > 0) writer.tag(2, WireType.LengthDelimited).bytes(value);
    writer.join();
  }
  return writer.finish();
}

/** Percent-encodes what is not printable ASCII, the percent sign, and spaces that HTTP would trim. */
function percentEncode(message: string): string {
  if (/^(?! )[ -$&-~]*(?<! )$/.test(message)) return message;
  const bytes = Buffer.from(message);
  let encoded = "";
  for (const [index, byte] of bytes.entries()) {
    const isPlain = byte >= 0x20 && byte <= 0x7e && byte !== 0x25;
    const isTrimmed = byte === 0x20 && (index === 0 || index === bytes.byteLength - 1);
    encoded +=
      isPlain && !isTrimmed
        ? String.fromCharCode(byte)
        : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return encoded;
}

const timeoutPattern = /^(\d{1,8})([HMSmun])$/;

const unitMs: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1_000,
  m: 1,
  u: 1e-3,
  n: 1e-6,
};

/** Milliseconds of a `grpc-timeout` header. */
export function parseGrpcTimeout(value: string): number {
  const [, amount, unit] = timeoutPattern.exec(value) ?? [];
  if (amount === undefined || unit === undefined) {
    throw new ConnectError(
      `grpc-timeout must be 1 to 8 digits and a unit, got "${value}"`,
      Code.InvalidArgument,
    );
  }
  return Number(amount) * (unitMs[unit] as number);
}
