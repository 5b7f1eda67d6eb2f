import type { Exchange } from "../http/exchange.ts";
import type { Method } from "../rpc/method.ts";
import { COMPRESSED_FLAG, type Envelope } from "../wire/envelope.ts";
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
  const envelope: Envelope = {
    flags: isCompressed ? COMPRESSED_FLAG : 0,
    data: messageOf(query),
  };
  serveUnaryMessage(exchange, method, connectDoor, method.codecs[codecName], envelope, encoding);
  return true;
}

function messageOf(query: URLSearchParams): Uint8Array {
  const message = query.get("message") ?? "";
  return Buffer.from(message, query.get("base64") === "1" ? "base64url" : "utf8");
}
