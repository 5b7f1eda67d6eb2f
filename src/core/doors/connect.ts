import { Code, ConnectError } from "@connectrpc/connect";
import { errorMetadata, trailerWithError } from "../rpc/rpc-error.ts";
import type { HeaderFields } from "../rpc/rpc-headers.ts";
import { encodeEnvelope } from "../wire/envelope.ts";
import { errorToJson, httpStatus } from "./connect-error.ts";
import { addHeaders, type Door, type Metadata, type NamedCodec } from "./door.ts";

const END_STREAM_FLAG = 0b0000_0010;
const timeoutPattern = /^\d{1,10}$/;
const jsonType = "application/json";

/** The Connect protocol: https://connectrpc.com/docs/protocol */
export const connectDoor: Door = {
  protocolName: "connect",
  timeoutHeader: "connect-timeout-ms",
  parseTimeout(value) {
    if (timeoutPattern.test(value)) return Number(value);
    throw new ConnectError(
      `connect-timeout-ms must be 1 to 10 digits, got "${value}"`,
      Code.InvalidArgument,
    );
  },
  contentTypes: ({ methodKind }) =>
    methodKind === "unary"
      ? [
          ["application/proto", "proto"],
          [jsonType, "json"],
        ]
      : [
          ["application/connect+proto", "proto"],
          ["application/connect+json", "json"],
        ],
  unary: {
    isEnveloped: false,
    encodingHeader: "content-encoding",
    acceptEncodingHeader: "accept-encoding",
    send(exchange, codec, { bytes, encoding }, { header, trailer }) {
      const fields: Record<string, string> = {
        "content-type": codec.name === "json" ? jsonType : "application/proto",
      };
      if (encoding) fields["content-encoding"] = encoding;
      addHeaders(fields, header);
      addHeaders(fields, trailer, "trailer-");
      exchange.respond(200, fields, bytes);
    },
    sendError(exchange, _codec, error, { header, trailer }) {
      const fields: Record<string, string> = { "content-type": jsonType };
      addHeaders(fields, errorMetadata(error));
      addHeaders(fields, header);
      addHeaders(fields, trailer, "trailer-");
      const body = Buffer.from(JSON.stringify(errorToJson(error)));
      exchange.respond(httpStatus(error.code), fields, body);
    },
  },
  stream: {
    encodingHeader: "connect-content-encoding",
    acceptEncodingHeader: "connect-accept-encoding",
    endFlag: END_STREAM_FLAG,
    header: streamHeader,
    sendError(exchange, codec, error, { header, trailer }) {
      const fields = streamHeader(codec, undefined);
      addHeaders(fields, header);
      exchange.respond(200, fields, endOfStream(error, trailer));
    },
    hasTrailers: false,
    end(exchange, error, trailer) {
      exchange.write(endOfStream(error, trailer));
      exchange.end();
    },
  },
};

function streamHeader(codec: NamedCodec, encoding: string | undefined): HeaderFields {
  const fields: HeaderFields = { "content-type": `application/connect+${codec.name}` };
  if (encoding) fields["connect-content-encoding"] = encoding;
  return fields;
}

/** https://connectrpc.com/docs/protocol#error-end-stream */
function endOfStream(error: ConnectError | undefined, trailer: Metadata["trailer"]): Buffer {
  const metadata: Record<string, string[]> = {};
  for (const [name, value] of trailerWithError(error, trailer) ?? []) {
    metadata[name] ??= [];
    metadata[name].push(value);
  }
  const end = {
    error: error && errorToJson(error),
    metadata: Object.keys(metadata).length > 0 ? metadata : undefined,
  };
  return encodeEnvelope(END_STREAM_FLAG, Buffer.from(JSON.stringify(end)));
}
