import { once } from "node:events";
import * as http from "node:http";
import type * as http2 from "node:http2";
import { constants } from "node:http2";

/** A protocol on an HTTP version, as far as a client without a library needs to know it. */
export interface Wire {
  readonly name: string;
  readonly version: 1 | 2;
  readonly unaryType: string;
  readonly streamType: string;
}

export const wires: readonly Wire[] = [
  wire("Connect", 1, "application/proto", "application/connect+proto"),
  wire("Connect", 2, "application/proto", "application/connect+proto"),
  wire("gRPC", 2, "application/grpc"),
  wire("gRPC-Web", 1, "application/grpc-web"),
  wire("gRPC-Web", 2, "application/grpc-web"),
  wire("gRPC-Web text", 1, "application/grpc-web-text"),
  wire("gRPC-Web text", 2, "application/grpc-web-text"),
];

function wire(protocol: string, version: 1 | 2, unaryType: string, streamType = unaryType): Wire {
  return { name: `${protocol} h${version}`, version, unaryType, streamType };
}

/** A call whose every byte the test decides on. */
export interface RawCall {
  write(bytes: Buffer): void;
  end(): void;
  /** Resolves with the first bytes of the answer; nothing more is read then. */
  answered(): Promise<void>;
  /** As a client does that is closed, or loses interest. */
  leave(): void;
}

export function openHttp1(port: number, path: string, contentType: string): RawCall {
  const request = http.request({
    host: "127.0.0.1",
    port,
    path,
    method: "POST",
    headers: { "content-type": contentType },
    agent: false,
  });
  request.on("error", () => {});
  request.flushHeaders();
  const response = once(request, "response") as Promise<[http.IncomingMessage]>;
  response.catch(() => {});
  return {
    write: (bytes) => void request.write(bytes),
    end: () => void request.end(),
    async answered() {
      const [message] = await response;
      message.on("error", () => {});
      await once(message, "readable");
    },
    leave: () => void request.destroy(),
  };
}

export function openHttp2(
  session: http2.ClientHttp2Session,
  path: string,
  contentType: string,
): RawCall {
  const stream = session.request(
    { ":method": "POST", ":path": path, "content-type": contentType },
    { endStream: false },
  );
  stream.on("error", () => {});
  return {
    write: (bytes) => void stream.write(bytes),
    end: () => void stream.end(),
    async answered() {
      await once(stream, "readable");
    },
    // With a message begun, node:http2 ends the stream before it resets it.
    leave: () => stream.close(constants.NGHTTP2_CANCEL),
  };
}
