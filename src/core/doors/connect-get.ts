import type { Exchange } from "../http/exchange.ts";
import type { Method } from "../rpc/method.ts";
import { COMPRESSED_FLAG } from "../wire/envelope.ts";
import { connectDoor } from "./connect.ts";
import { serveUnaryMessage } from "./serve-unary.ts";

/**
 * Serves a Connect GET, for methods without side effects. False when the query names no codec of ours.
 * https://connectrpc.com/docs/protocol#unary-get-request
 */
export function serveConnectGet(exchange: Exchange, method: Method): boolean {
  const { target } = exchange;
  const query = new URLSearchParams(target.slice(target.indexOf("?") + 1));
  const codecName = query.get("encoding");
  if (codecName !== "proto" && codecName !== "json") return false;
  const encoding = query.get("compression") ?? undefined;
  const isCompressed = encoding !== undefined && encoding !== "identity";
  const data = messageOf(query);
  const envelope = data && { flags: isCompressed ? COMPRESSED_FLAG : 0, data };
  serveUnaryMessage(exchange, method, connectDoor, method.codecs[codecName], encoding, envelope);
  return true;
}

/** Undefined for a message that is not what it says it is. */
function messageOf(query: URLSearchParams): Uint8Array | undefined {
  const message = query.get("message") ?? "";
  if (query.get("base64") !== "1") return Buffer.from(message);
  if (!base64Pattern.test(message)) return undefined;
  return Buffer.from(message, "base64url");
}

/** Either alphabet, padded or not. */
const base64Pattern = /^(?:[\w+/-]{4})*(?:[\w+/-]{2,3}={0,2})?$/;
