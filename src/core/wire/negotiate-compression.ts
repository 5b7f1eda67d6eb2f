import { Code, ConnectError } from "@connectrpc/connect";
import type { Compression } from "@connectrpc/connect/protocol";

export interface NegotiatedCompression {
  /** How the request is compressed, undefined for not at all. */
  readonly request?: Compression;
  /** How the response may be compressed. */
  readonly response?: Compression;
  /** `unimplemented`, for a request encoding that is not offered here. */
  readonly error?: ConnectError;
}

const identity: NegotiatedCompression = {};

/**
 * Picks the first encoding of the client's list that is offered here; without a list, the encoding of
 * the request.
 */
export function negotiateCompression(
  offered: readonly Compression[],
  requestEncoding: string | undefined,
  acceptEncoding: string | undefined,
): NegotiatedCompression {
  if (requestEncoding === undefined && acceptEncoding === undefined) return identity;
  let request: Compression | undefined;
  let error: ConnectError | undefined;
  if (requestEncoding && requestEncoding !== "identity") {
    request = offered.find(({ name }) => name === requestEncoding);
    if (!request) error = unknownEncoding(requestEncoding, offered);
  }
  if (!acceptEncoding) return { request, response: request, error };
  for (const name of acceptEncoding.split(",")) {
    const response = offered.find((compression) => compression.name === name.trim());
    if (response) return { request, response, error };
  }
  return { request, error };
}

/** The value of an accept-encoding header that lists what is offered. */
export function acceptedEncodings(offered: readonly Compression[]): string {
  return offered.map(({ name }) => name).join(",");
}

function unknownEncoding(encoding: string, offered: readonly Compression[]): ConnectError {
  return new ConnectError(
    `unknown compression "${encoding}"; supported are ${acceptedEncodings(offered)}`,
    Code.Unimplemented,
  );
}

/** Whether a message of this size is sent compressed. */
export function isWorthCompressing(
  compression: Compression | undefined,
  bytes: Uint8Array,
  minBytes: number,
): compression is Compression {
  return compression !== undefined && bytes.byteLength >= minBytes;
}
