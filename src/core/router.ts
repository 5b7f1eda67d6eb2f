import type { IncomingHttpHeaders } from "node:http";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import { connectDoor } from "./doors/connect.ts";
import { serveConnectGet } from "./doors/connect-get.ts";
import type { Door } from "./doors/door.ts";
import { grpcDoor } from "./doors/grpc.ts";
import { grpcWebDoor } from "./doors/grpc-web.ts";
import { serveStream } from "./doors/serve-stream.ts";
import { serveUnary } from "./doors/serve-unary.ts";
import { refuseUnknownMethod, unknownMethodEntrances } from "./doors/unknown-method.ts";
import { Base64Exchange } from "./http/base64-exchange.ts";
import type { Exchange } from "./http/exchange.ts";
import type { ResolvedOptions } from "./resolve-options.ts";
import type { Method } from "./rpc/method.ts";
import type { Codec } from "./wire/codec.ts";

interface Entrance {
  readonly door: Door;
  readonly codec: Codec;
  readonly isText: boolean;
}

interface Entry {
  readonly method: Method;
  readonly entrances: ReadonlyMap<string, Entrance>;
  readonly allowed: string;
}

/** From path and content type to Method and door. */
export class Router {
  readonly #entries = new Map<string, Entry>();
  /** Paths of services, with the slash before the name of a method. */
  readonly #services = new Set<string>();
  readonly #strangers: ReturnType<typeof unknownMethodEntrances>;

  constructor(methods: Iterable<Method>, protocols: Protocols) {
    for (const method of methods) {
      this.#entries.set(method.path, createEntry(method));
      this.#services.add(servicePathOf(method.path));
    }
    this.#strangers = unknownMethodEntrances(doorsOf(protocols));
  }

  /**
   * Whether an RPC lives at this path, or a client means a method that its service does not have; the
   * query does not count.
   */
  claims(target: string, requestMethod: string | undefined, headers: IncomingHttpHeaders): boolean {
    const path = pathOf(target);
    if (this.#entries.has(path)) return true;
    if (requestMethod !== "POST" || !this.#services.has(servicePathOf(path))) return false;
    return find(this.#strangers, headers["content-type"]) !== undefined;
  }

  /** Answers a request that {@link claims} knows. */
  serve(exchange: Exchange): void {
    const path = pathOf(exchange.target);
    const entry = this.#entries.get(path);
    if (!entry) {
      const stranger = find(this.#strangers, contentTypeOf(exchange));
      if (stranger) refuseUnknownMethod(exchange, path, stranger);
      return;
    }
    const { method, allowed } = entry;
    const { requestMethod } = exchange;
    if (method.desc.methodKind === "bidi_streaming" && exchange.httpVersion === 1) {
      // A client that expects both directions at once would hang on a connection that stays.
      exchange.respond(505, { connection: "close" });
    } else if (requestMethod === "POST") {
      servePost(exchange, entry);
    } else if (requestMethod === "GET" && allowed !== "POST") {
      if (!serveConnectGet(exchange, method)) exchange.respond(415, {});
    } else {
      exchange.respond(405, { allow: allowed });
    }
  }
}

function servePost(exchange: Exchange, { method, entrances }: Entry): void {
  const entrance = find(entrances, contentTypeOf(exchange));
  if (!entrance) {
    exchange.respond(415, { "accept-post": [...entrances.keys()].join(", ") });
    return;
  }
  const { door, codec, isText } = entrance;
  const inner = isText ? new Base64Exchange(exchange) : exchange;
  if (method.desc.methodKind === "unary") serveUnary(inner, method, door, codec);
  else serveStream(inner, method, door, codec);
}

function createEntry(method: Method): Entry {
  const { options, desc } = method;
  const entrances = new Map<string, Entrance>();
  for (const door of doorsOf(options)) {
    for (const [contentType, codecName] of door.contentTypes(desc)) {
      const isText = contentType.startsWith("application/grpc-web-text");
      entrances.set(contentType, { door, codec: method.codecs[codecName], isText });
    }
  }
  const isSafe = desc.idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS;
  const hasGet = options.connect && desc.methodKind === "unary" && isSafe;
  return { method, entrances, allowed: hasGet ? "GET, POST" : "POST" };
}

type Protocols = Pick<ResolvedOptions, "connect" | "grpc" | "grpcWeb">;

function doorsOf({ connect, grpc, grpcWeb }: Protocols): Door[] {
  return [
    ...(connect ? [connectDoor] : []),
    ...(grpc ? [grpcDoor] : []),
    ...(grpcWeb ? [grpcWebDoor] : []),
  ];
}

function contentTypeOf({ headers }: Exchange): string | undefined {
  return headers["content-type"] as string | undefined;
}

/** Most clients send exactly what is listed. */
function find<T>(entrances: ReadonlyMap<string, T>, contentType: string | undefined) {
  return entrances.get(contentType ?? "") ?? entrances.get(essence(contentType));
}

function servicePathOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/") + 1);
}

function pathOf(target: string): string {
  const query = target.indexOf("?");
  return query === -1 ? target : target.slice(0, query);
}

/** A content type without its parameters; a charset other than UTF-8 is another type. */
function essence(contentType = ""): string {
  const [type = "", ...parameters] = contentType.toLowerCase().split(";");
  const isForeign = parameters.some((parameter) =>
    /^\s*charset=(?!"?utf-?8"?\s*$)/.test(parameter),
  );
  return isForeign ? "" : type.trim();
}
