import { create, toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { shownHeaders } from "./shown-headers.ts";

/** A value as plain data that can be compared and printed: bytes, errors and headers included. */
export function plain(value: unknown): unknown {
  if (value instanceof ConnectError) return plainError(value);
  if (value instanceof Error) return { name: value.name, message: value.message };
  if (value instanceof Headers) return shownHeaders(value);
  if (value instanceof Uint8Array) return `bytes ${Buffer.from(value).toString("base64")}`;
  if (typeof value === "bigint") return `${value}n`;
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, entry]) => entry !== undefined)
      .map(([key, entry]) => [key, plain(entry)]),
  );
}

function plainError(error: ConnectError) {
  return {
    code: Code[error.code].replace(/(?<=.)[A-Z]/g, "_$&").toLowerCase(),
    message: error.rawMessage,
    metadata: shownHeaders(error.metadata),
    // In process a detail is still the message; from the network it is bytes of a named type.
    details: error.details.map((detail) =>
      "desc" in detail
        ? { type: detail.desc.typeName, value: base64(bytesOf(detail)) }
        : { type: detail.type, value: base64(detail.value) },
    ),
  };
}

type OutgoingDetail = Extract<ConnectError["details"][number], { desc: unknown }>;

function bytesOf({ desc, value }: OutgoingDetail): Uint8Array {
  const message = "$typeName" in value ? value : create(desc, value);
  return toBinary(desc, message as Parameters<typeof toBinary>[1]);
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}
