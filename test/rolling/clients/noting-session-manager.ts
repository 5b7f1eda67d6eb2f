import { Http2SessionManager } from "@connectrpc/connect-node";

/** Tells the calls of a client apart. */
export const callHeader = "x-call";

/**
 * connect-node's own session manager, which notes the calls that Node did not send. A client that opens
 * a stream in the turn of the event loop in which it reads a GOAWAY refuses that stream itself: nothing
 * of it reaches the wire. Such a call is safe to send again, but connect-node does not.
 */
export class NotingSessionManager extends Http2SessionManager {
  /** By the value of their {@link callHeader}. */
  readonly neverSent = new Set<string>();

  override async request(...args: Parameters<Http2SessionManager["request"]>) {
    const stream = await super.request(...args);
    const [, , headers] = args;
    stream.once("frameError", () => this.neverSent.add(String(headers[callHeader])));
    return stream;
  }
}
