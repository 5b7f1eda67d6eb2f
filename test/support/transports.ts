import type { Transport } from "@connectrpc/connect";
import {
  type ConnectTransportOptions,
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
  type GrpcTransportOptions,
} from "@connectrpc/connect-node";

type NodeOptions = GrpcTransportOptions["nodeOptions"];

/** Every protocol over every HTTP version it runs on. */
export const grid = ["Connect h1", "Connect h2", "gRPC h2", "gRPC-Web h1", "gRPC-Web h2"] as const;

/** For any address and any options, where the transports of `createTestServer()` are for its own server. */
export function createTransport(
  name: (typeof grid)[number],
  baseUrl: string,
  nodeOptions?: NodeOptions,
  more: Pick<GrpcTransportOptions, "interceptors" | "useBinaryFormat"> = {},
): Transport {
  const options = name.endsWith("h1")
    ? ({ ...more, baseUrl, httpVersion: "1.1", nodeOptions } as ConnectTransportOptions)
    : ({ ...more, baseUrl, httpVersion: "2", nodeOptions } as const);
  if (name.startsWith("Connect")) return createConnectTransport(options);
  if (name.startsWith("gRPC-Web")) return createGrpcWebTransport(options);
  return createGrpcTransport({ ...more, baseUrl, nodeOptions });
}
