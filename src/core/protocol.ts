import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import type { DescFile, DescService } from "@bufbuild/protobuf";
import type { ConnectRouter } from "@connectrpc/connect";
import type { LifecycleEvent, LifecycleListener } from "./lifecycle.ts";
import type { Logger } from "./logger.ts";

export type NodeRequest = IncomingMessage | Http2ServerRequest;
export type NodeResponse = ServerResponse | Http2ServerResponse;

/**
 * Answers a plain HTTP request, or leaves it to the next handler by returning `false`.
 * Asked only for requests no RPC claims. If it throws, the client gets a 500 without text
 * and the server emits `error`.
 */
export type HttpHandler = (
  request: NodeRequest,
  response: NodeResponse,
) => boolean | Promise<boolean>;

/** What a protocol may know of the server it is registered on. */
export interface ProtocolContext {
  /** The files of every mounted service, dependencies included. Complete once routes are frozen. */
  readonly registry: readonly DescFile[];
  /** The mounted services, those of protocols included. Complete once routes are frozen. */
  readonly services: readonly DescService[];
  /** Aborts when the server begins to drain, after `drainDelayMs`. */
  readonly shutdownSignal: AbortSignal;
  readonly logger: Logger;
  on(event: LifecycleEvent, listener: LifecycleListener): void;
}

/** A capability that brings services or HTTP answers of its own, such as health or reflection. */
export interface ProtocolRegistration {
  /** Unique on a server; a second protocol of the same name is refused. */
  readonly name: string;
  /** Called once per server, when routes freeze. */
  register(router: ConnectRouter, context: ProtocolContext): void;
  /** Called once when all routes are frozen. A throw makes `start()` reject. */
  attach?(context: ProtocolContext): void | Promise<void>;
  readonly httpHandler?: HttpHandler;
}
