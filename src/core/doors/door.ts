import type { DescMethod } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import type { Exchange } from "../http/exchange.ts";
import type { ProtocolName } from "../rpc/call-source.ts";
import { type HeaderFields, RpcHeaders } from "../rpc/rpc-headers.ts";
import type { Codec, CodecName } from "../wire/codec.ts";

/** What a handler and its interceptors want sent beside the messages. */
export interface Metadata {
  readonly header: RpcHeaders | Headers | undefined;
  readonly trailer: RpcHeaders | Headers | undefined;
}

/** All that the header of an answer tells of a codec. */
export type NamedCodec = Pick<Codec, "name">;

/** A response message on its way out: serialised, and compressed if `encoding` names how. */
export interface OutgoingMessage {
  readonly bytes: Uint8Array;
  readonly encoding: string | undefined;
}

/**
 * A wire protocol. It knows where things stand in a request and in an answer, and nothing else:
 * serve-unary.ts and serve-stream.ts do the work, in the same way for every door.
 */
export interface Door {
  readonly protocolName: ProtocolName;
  readonly timeoutHeader: string;
  /** Milliseconds. Throws `invalid_argument` for a value that is no timeout. */
  parseTimeout(value: string): number;
  /** Which content types of a method come here, and in which codec. */
  contentTypes(
    method: Pick<DescMethod, "methodKind">,
  ): ReadonlyArray<readonly [contentType: string, codec: CodecName]>;
  readonly unary: UnaryForm;
  readonly stream: StreamForm;
}

interface Form {
  readonly encodingHeader: string;
  readonly acceptEncodingHeader: string;
  /** Sends a whole answer that has no message. */
  sendError(exchange: Exchange, codec: NamedCodec, error: ConnectError, metadata: Metadata): void;
}

export interface UnaryForm extends Form {
  /** Whether messages come in envelopes, or as the bare body. */
  readonly isEnveloped: boolean;
  send(exchange: Exchange, codec: NamedCodec, message: OutgoingMessage, metadata: Metadata): void;
}

export interface StreamForm extends Form {
  /** Flag of an envelope that ends the stream and holds no message; clients may not send it. */
  readonly endFlag: number;
  /** The header of the answer, without what handlers add. */
  header(codec: NamedCodec, encoding: string | undefined): HeaderFields;
  readonly hasTrailers: boolean;
  end(exchange: Exchange, error: ConnectError | undefined, trailer: Metadata["trailer"]): void;
}

/** Adds what a handler set; fields of the protocol itself win. */
export function addHeaders(
  target: HeaderFields,
  source: RpcHeaders | Headers | undefined,
  prefix = "",
): void {
  if (source === undefined) return;
  const headers = "addTo" in source ? source : RpcHeaders.from(source);
  headers.addTo(target, prefix);
}
