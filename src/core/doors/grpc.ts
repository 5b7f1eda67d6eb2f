import type { ConnectError } from "@connectrpc/connect";
import type { Exchange } from "../http/exchange.ts";
import {
  COMPRESSED_FLAG,
  encodeEnvelope,
  envelopeHead,
  LARGE_MESSAGE_BYTES,
} from "../wire/envelope.ts";
import { addHeaders, type Door, type Metadata, type NamedCodec } from "./door.ts";
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
      const flags = encoding ? COMPRESSED_FLAG : 0;
      const trailers = statusTrailers(undefined, trailer);
      if (bytes.byteLength < LARGE_MESSAGE_BYTES) {
        exchange.respond(200, fields, encodeEnvelope(flags, bytes), trailers);
        return;
      }
      exchange.writeHead(200, fields, true);
      exchange.write(envelopeHead(flags, bytes.byteLength));
      exchange.write(bytes);
      exchange.end(trailers);
    },
    sendError,
  },
  stream: {
    encodingHeader,
    acceptEncodingHeader,
    endFlag: 0,
    header: responseHeader,
    sendError,
    hasTrailers: true,
    end(exchange, error, trailer) {
      exchange.end(statusTrailers(error, trailer));
    },
  },
};

/**
 * Trailers-Only where no handler has set a header: one frame, which a client cannot answer before it
 * has the status. One that ends its body short after a header alone would lose the trailers.
 */
function sendError(
  exchange: Exchange,
  codec: NamedCodec,
  error: ConnectError,
  { header, trailer }: Metadata,
): void {
  const fields = responseHeader(codec, undefined);
  const trailers = statusTrailers(error, trailer);
  const hasHeader = header !== undefined && !header.keys().next().done;
  if (exchange.httpVersion === 2 && !hasHeader) {
    exchange.respond(200, Object.assign(trailers, fields));
    return;
  }
  addHeaders(fields, header);
  exchange.respond(200, fields, undefined, trailers);
}

function responseHeader(codec: NamedCodec, encoding: string | undefined) {
  const fields: Record<string, string> = { "content-type": contentTypes[codec.name] };
  if (encoding) fields[encodingHeader] = encoding;
  return fields;
}

const contentTypes = { proto: "application/grpc+proto", json: "application/grpc+json" };
