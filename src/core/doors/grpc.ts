import { COMPRESSED_FLAG, encodeEnvelope } from "../wire/envelope.ts";
import { addHeaders, type Door, type NamedCodec } from "./door.ts";
import { parseGrpcTimeout, statusTrailers } from "./grpc-status.ts";

const encodingHeader = "grpc-encoding";
const acceptEncodingHeader = "grpc-accept-encoding";

/** gRPC over HTTP/2: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md */
export const grpcDoor: Door = {
  protocolName: "grpc",
  timeoutHeader: "grpc-timeout",
  parseTimeout: parseGrpcTimeout,
  contentTypes: () => [
    ["application/grpc", "proto"],
    ["application/grpc+proto", "proto"],
    ["application/grpc+json", "json"],
  ],
  unary: {
    isEnveloped: true,
    encodingHeader,
    acceptEncodingHeader,
    send(exchange, codec, { bytes, encoding }, { header, trailer }) {
      const fields = responseHeader(codec, encoding);
      addHeaders(fields, header);
      const frame = encodeEnvelope(encoding ? COMPRESSED_FLAG : 0, bytes);
      exchange.respond(200, fields, frame, statusTrailers(undefined, trailer));
    },
    sendError(exchange, codec, error, { header, trailer }) {
      const fields = responseHeader(codec, undefined);
      addHeaders(fields, header);
      exchange.respond(200, fields, undefined, statusTrailers(error, trailer));
    },
  },
  stream: {
    encodingHeader,
    acceptEncodingHeader,
    endFlag: 0,
    header: responseHeader,
    hasTrailers: true,
    end(exchange, error, trailer) {
      exchange.end(statusTrailers(error, trailer));
    },
  },
};

function responseHeader(codec: NamedCodec, encoding: string | undefined) {
  const fields: Record<string, string> = { "content-type": contentTypes[codec.name] };
  if (encoding) fields[encodingHeader] = encoding;
  return fields;
}

const contentTypes = { proto: "application/grpc+proto", json: "application/grpc+json" };
