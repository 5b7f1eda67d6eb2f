import { Code, ConnectError } from "@connectrpc/connect";
import type { Compression } from "@connectrpc/connect/protocol";
import type { Exchange } from "../http/exchange.ts";
import { type Call, deadlineExceeded } from "../rpc/call.ts";
import type { Method } from "../rpc/method.ts";
import {
  acceptedEncodings,
  type NegotiatedCompression,
  negotiateCompression,
} from "../wire/negotiate-compression.ts";
import type { Door, StreamForm, UnaryForm } from "./door.ts";

export interface OpenedCall {
  readonly call: Call;
  readonly compression: NegotiatedCompression;
  /** Why the call ends before its body is read. */
  readonly error: ConnectError | undefined;
}

/** Reads timeout and encodings of a request. What is wrong with them comes back as the call's error. */
export function openCall(
  exchange: Exchange,
  method: Method,
  door: Door,
  form: UnaryForm | StreamForm,
  requestEncoding = textOf(exchange.headers[form.encodingHeader]),
): OpenedCall {
  const { headers } = exchange;
  const { accept } = method.options.compression;
  const compression = negotiateCompression(
    accept,
    requestEncoding,
    textOf(headers[form.acceptEncodingHeader]),
  );
  let { error } = compression;
  let timeoutMs: number | undefined;
  const timeout = textOf(headers[door.timeoutHeader]);
  if (timeout !== undefined) {
    try {
      timeoutMs = Math.min(door.parseTimeout(timeout), method.options.maxTimeoutMs);
      if (timeoutMs <= 0) error ??= deadlineExceeded();
    } catch (thrown) {
      error ??= thrown as ConnectError;
    }
  }
  const call = method.openCall(door.protocolName, exchange, timeoutMs);
  if (compression.error) {
    call.responseHeader.set(form.acceptEncodingHeader, acceptedEncodings(accept));
  }
  return { call, compression, error };
}

/** Inflates a message; an error is `invalid_argument`, or `resource_exhausted` over the limit. */
export async function inflate(
  compression: Compression | undefined,
  data: Uint8Array,
  readMaxBytes: number,
): Promise<Uint8Array> {
  if (!compression) throw badFlags(1);
  // The type of connect-es asks for the narrower buffer; every message here has one.
  return compression.decompress(data as Uint8Array<ArrayBuffer>, readMaxBytes);
}

/** An envelope says what nobody agreed on: compressed without an encoding, or a flag nobody defined. */
export function badFlags(flags: number): ConnectError {
  return flags === 1
    ? new ConnectError("compressed message without an encoding in the header", Code.Internal)
    : new ConnectError(`message with unknown flags 0x${flags.toString(16)}`, Code.InvalidArgument);
}

function textOf(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(",") : value;
}
