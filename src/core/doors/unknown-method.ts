import { Code, ConnectError } from "@connectrpc/connect";
import type { Exchange } from "../http/exchange.ts";
import type { CodecName } from "../wire/codec.ts";
import type { Door } from "./door.ts";

interface Entrance {
  readonly door: Door;
  readonly codecName: CodecName;
  readonly form: "unary" | "stream";
}

/** Content types of any method of these doors; which of them a method has that does not exist, nobody knows. */
export function unknownMethodEntrances(doors: readonly Door[]): ReadonlyMap<string, Entrance> {
  const entrances = new Map<string, Entrance>();
  for (const door of doors) {
    for (const methodKind of ["bidi_streaming", "unary"] as const) {
      const form = methodKind === "unary" ? "unary" : "stream";
      for (const [contentType, codecName] of door.contentTypes({ methodKind })) {
        entrances.set(contentType, { door, codecName, form });
      }
    }
  }
  return entrances;
}

/** Answers `unimplemented` in the form of the caller's protocol. */
export function refuseUnknownMethod(
  exchange: Exchange,
  path: string,
  { door, codecName, form }: Entrance,
): void {
  const error = new ConnectError(
    `${path.slice(1)} is no method of this service`,
    Code.Unimplemented,
  );
  const codec = { name: codecName };
  if (form === "unary") {
    door.unary.sendError(exchange, codec, error, { header: undefined, trailer: undefined });
    return;
  }
  exchange.writeHead(200, door.stream.header(codec, undefined), door.stream.hasTrailers);
  door.stream.end(exchange, error, undefined);
}
