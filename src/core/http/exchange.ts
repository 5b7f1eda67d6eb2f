import type { ConnectError } from "@connectrpc/connect";
import type { CallSource } from "../rpc/call-source.ts";
import type { HeaderFields } from "../rpc/rpc-headers.ts";

/** Hears the body of a request. After `onEnd` or `onError` it hears nothing more. */
export interface BodyReceiver {
  onData(chunk: Buffer): void;
  onEnd(): void;
  /** Whether the client must send more for the call to go on; not while nobody reads, or between messages. */
  readonly isMissingBytes: boolean;
  /** The client left, or stood still, before the body was complete. */
  onError(reason: ConnectError): void;
}

/**
 * One HTTP request and its answer, the same for HTTP/1.1 and HTTP/2. Nothing of the body is read
 * before {@link receive}. Writing to a client that has left does nothing.
 */
export interface Exchange extends CallSource {
  readonly httpVersion: 1 | 2;
  /** Path and query as they were sent. */
  readonly target: string;
  /** Fields of every answer, whatever else it says. */
  commonFields: HeaderFields | undefined;
  receive(receiver: BodyReceiver): void;
  pause(): void;
  resume(): void;
  /** Sends a whole answer at once; `fields` and `trailers` are used up. */
  respond(status: number, fields: HeaderFields, body?: Uint8Array, trailers?: HeaderFields): void;
  /** Begins an answer of unknown length, and sends its header at once. */
  writeHead(status: number, fields: HeaderFields, hasTrailers: boolean): void;
  /** False when the client reads slower than it is written to; then wait for {@link onceDrained}. */
  write(bytes: Uint8Array): boolean;
  onceDrained(listener: () => void): void;
  end(trailers?: HeaderFields): void;
}

/** Adds what every answer to a request says; `vary` lists what both say. */
export function addCommonFields(fields: HeaderFields, common: HeaderFields | undefined): void {
  if (common === undefined) return;
  const { vary } = fields;
  Object.assign(fields, common);
  if (vary !== undefined && common.vary !== undefined) fields.vary = `${vary}, ${common.vary}`;
}
