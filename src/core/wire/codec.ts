import {
  type DescMessage,
  type DescMethod,
  fromBinary,
  fromJsonString,
  type Message,
  toBinary,
  toJsonString,
} from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import type { RouteOptions } from "../routes.ts";

export type CodecName = "proto" | "json";

/** Bytes to requests and responses to bytes, for one method in one codec. */
export interface Codec {
  readonly name: CodecName;
  /** Throws `invalid_argument` for bytes that are no such message. */
  parse(bytes: Uint8Array): Message;
  /** Throws `internal` for a message that cannot be written, `resource_exhausted` for one too large. */
  serialize(message: Message): Uint8Array;
}

/** The length of a message in its binary form, where these bytes are it. */
export function wireLength(codec: Codec, bytes: Uint8Array): number | undefined {
  return codec.name === "proto" ? bytes.byteLength : undefined;
}

export function createCodecs(
  method: DescMethod,
  options: RouteOptions,
): Readonly<Record<CodecName, Codec>> {
  return {
    proto: createBinaryCodec(method.input, method.output, options),
    json: createJsonCodec(method.input, method.output, options),
  };
}

function createBinaryCodec(
  input: DescMessage,
  output: DescMessage,
  { binaryOptions, writeMaxBytes }: RouteOptions,
): Codec {
  return {
    name: "proto",
    parse(bytes) {
      try {
        return fromBinary(input, bytes, binaryOptions);
      } catch (error) {
        throw parseError(`request is not a valid ${input.typeName}`, error);
      }
    },
    serialize(message) {
      let bytes: Uint8Array;
      try {
        bytes = toBinary(output, message, binaryOptions);
      } catch (error) {
        throw serializeError(output, error);
      }
      return checkWriteLimit(bytes, writeMaxBytes);
    },
  };
}

function createJsonCodec(
  input: DescMessage,
  output: DescMessage,
  { jsonOptions, writeMaxBytes }: RouteOptions,
): Codec {
  const readOptions = { ignoreUnknownFields: true, ...jsonOptions };
  return {
    name: "json",
    parse(bytes) {
      try {
        return fromJsonString(input, strictUtf8.decode(bytes), readOptions);
      } catch (error) {
        throw parseError(`request is not a valid ${input.typeName} in JSON`, error);
      }
    },
    serialize(message) {
      let text: string;
      try {
        text = toJsonString(output, message, jsonOptions);
      } catch (error) {
        throw serializeError(output, error);
      }
      return checkWriteLimit(Buffer.from(text), writeMaxBytes);
    },
  };
}

const strictUtf8 = new TextDecoder("utf-8", { fatal: true });

function parseError(what: string, error: unknown): ConnectError {
  const reason = error instanceof Error ? error.message : String(error);
  return new ConnectError(`${what}: ${reason}`, Code.InvalidArgument, undefined, undefined, error);
}

/** The reason stays in the cause: it may quote what the handler put into the message. */
function serializeError({ typeName }: DescMessage, error: unknown): ConnectError {
  return new ConnectError(
    `response cannot be written as ${typeName}`,
    Code.Internal,
    undefined,
    undefined,
    error,
  );
}

function checkWriteLimit(bytes: Uint8Array, writeMaxBytes: number): Uint8Array {
  if (bytes.byteLength <= writeMaxBytes) return bytes;
  throw new ConnectError(
    `message of ${bytes.byteLength} bytes is larger than writeMaxBytes ${writeMaxBytes}`,
    Code.ResourceExhausted,
  );
}
