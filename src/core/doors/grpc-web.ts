import type { ConnectError } from "@connectrpc/connect";
import type { Exchange } from "../http/exchange.ts";
import type { HeaderFields } from "../rpc/rpc-headers.ts";
import { COMPRESSED_FLAG, encodeEnvelope } from "../wire/envelope.ts";
import { addHeaders, type Door, type Metadata, type NamedCodec } from "./door.ts";
import { parseGrpcTimeout, statusTrailers } from "./grpc-status.ts";

const encodingHeader = "grpc-encoding";
const acceptEncodingHeader = "grpc-accept-encoding";
const TRAILER_FLAG = 0b1000_0000;

/**
 * gRPC-Web: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-WEB.md
 * The text form is the same behind a Base64Exchange.
 */
export const grpcWebDoor: Door = {
  protocolName: "grpc-web",
  timeoutHeader: "grpc-timeout",
  parseTimeout: parseGrpcTimeout,
  contentTypes: () => [
    ["application/grpc-web", "proto"],
    ["application/grpc-web+proto", "proto"],
    ["application/grpc-web+json", "json"],
    ["application/grpc-web-text", "proto"],
    ["application/grpc-web-text+proto", "proto"],
  ],
  unary: {
    isEnveloped: true,
    encodingHeader,
    acceptEncodingHeader,
    send(exchange, codec, { bytes, encoding }, { header, trailer }) {
      const fields = responseHeader(codec, encoding);
      addHeaders(fields, header);
      const message = encodeEnvelope(encoding ? COMPRESSED_FLAG : 0, bytes);
      const end = trailerFrame(statusTrailers(undefined, trailer));
      exchange.respond(200, fields, Buffer.concat([message, end]));
    },
    sendError,
  },
  stream: {
    encodingHeader,
    acceptEncodingHeader,
    endFlag: TRAILER_FLAG,
    header: responseHeader,
    sendError,
    hasTrailers: false,
    end(exchange, error, trailer) {
      exchange.write(trailerFrame(statusTrailers(error, trailer)));
      exchange.end();
    },
  },
};

function sendError(
  exchange: Exchange,
  codec: NamedCodec,
  error: ConnectError,
  { header, trailer }: Metadata,
): void {
  const fields = responseHeader(codec, undefined);
  addHeaders(fields, header);
  exchange.respond(200, fields, trailerFrame(statusTrailers(error, trailer)));
}

function responseHeader(codec: NamedCodec, encoding: string | undefined) {
  const fields: Record<string, string> = { "content-type": contentTypes[codec.name] };
  if (encoding) fields[encodingHeader] = encoding;
  return fields;
}

const contentTypes = { proto: "application/grpc-web+proto", json: "application/grpc-web+json" };

/** Trailers as the last message of the body, in the form of a header block; clients read it as UTF-8. */
function trailerFrame(fields: HeaderFields): Buffer {
  let block = "";
  for (const [name, value] of Object.entries(fields)) {
    for (const item of Array.isArray(value) ? value : [value]) block += `${name}: ${item}\r\n`;
  }
  return encodeEnvelope(TRAILER_FLAG, Buffer.from(block));
}
