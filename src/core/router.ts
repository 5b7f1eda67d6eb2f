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
import type { RpcEndpoint } from "./request-handler.ts";
import type { ResolvedOptions } from "./resolve-options.ts";
import type { Method } from "./rpc/method.ts";
import type { Codec } from "./wire/codec.ts";

interface Entrance {
  readonly door: Door;
  readonly codec: Codec;
  readonly isText: boolean;
}

/** From path and content type to Method and door. */
export class Router {
  readonly #endpoints = new Map<string, Endpoint>();
  /** Paths of services, with the slash before the name of a method. */
  readonly #services = new Set<string>();
  readonly #strangers: ReturnType<typeof unknownMethodEntrances>;

  constructor(methods: Iterable<Method>, protocols: Protocols) {
    for (const method of methods) {
      this.#endpoints.set(method.path, new Endpoint(method));
      this.#services.add(servicePathOf(method.path));
    }
    this.#strangers = unknownMethodEntrances(doorsOf(protocols));
  }

  /**
   * The RPC at this target, or who refuses a method that a service does not have; the query does not
   * count.
   */
  endpointAt(
    target: string,
    requestMethod: string | undefined,
    headers: IncomingHttpHeaders,
  ): RpcEndpoint | undefined {
    const exact = this.#endpoints.get(target);
    if (exact) return exact;
    const path = pathOf(target);
    const endpoint = this.#endpoints.get(path);
    if (endpoint) return endpoint;
    if (requestMethod !== "POST" || !this.#services.has(servicePathOf(path))) return undefined;
    const stranger = find(this.#strangers, headers["content-type"]);
    return stranger && { serve: (exchange) => refuseUnknownMethod(exchange, path, stranger) };
  }
}

/** One RPC behind the doors that are open for it. */
class Endpoint implements RpcEndpoint {
  readonly #method: Method;
  readonly #entrances: ReadonlyMap<string, Entrance>;
  readonly #hasGet: boolean;

  constructor(method: Method) {
    const { options, desc } = method;
    this.#method = method;
    this.#entrances = entrancesOf(method);
    const isSafe = desc.idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS;
    this.#hasGet = options.connect && desc.methodKind === "unary" && isSafe;
  }

  serve(exchange: Exchange): void {
    const { requestMethod } = exchange;
    if (this.#method.desc.methodKind === "bidi_streaming" && exchange.httpVersion === 1) {
      // A client that expects both directions at once would hang on a connection that stays.
      exchange.respond(505, { connection: "close" });
    } else if (requestMethod === "POST") {
      this.#servePost(exchange);
    } else if (requestMethod === "GET" && this.#hasGet) {
      if (!serveConnectGet(exchange, this.#method)) exchange.respond(415, {});
    } else {
      exchange.respond(405, { allow: this.#hasGet ? "GET, POST" : "POST" });
    }
  }

  #servePost(exchange: Exchange): void {
    const method = this.#method;
    const contentType = exchange.headers["content-type"] as string | undefined;
    const entrance = find(this.#entrances, contentType);
    if (!entrance) {
      exchange.respond(415, { "accept-post": [...this.#entrances.keys()].join(", ") });
      return;
    }
    const { door, codec, isText } = entrance;
    const inner = isText ? new Base64Exchange(exchange) : exchange;
    if (method.desc.methodKind === "unary") serveUnary(inner, method, door, codec);
    else serveStream(inner, method, door, codec);
  }
}

function entrancesOf({ options, desc, codecs }: Method): Map<string, Entrance> {
  const entrances = new Map<string, Entrance>();
  for (const door of doorsOf(options)) {
    for (const [contentType, codecName] of door.contentTypes(desc)) {
      const isText = contentType.startsWith("application/grpc-web-text");
      entrances.set(contentType, { door, codec: codecs[codecName], isText });
    }
  }
  return entrances;
}

type Protocols = Pick<ResolvedOptions, "connect" | "grpc" | "grpcWeb">;

function doorsOf({ connect, grpc, grpcWeb }: Protocols): Door[] {
  return [
    ...(connect ? [connectDoor] : []),
    ...(grpc ? [grpcDoor] : []),
    ...(grpcWeb ? [grpcWebDoor] : []),
  ];
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
