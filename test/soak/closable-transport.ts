import { Agent } from "node:http";
import { Agent as SecureAgent } from "node:https";
import type { Transport } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
  Http2SessionManager,
} from "@connectrpc/connect-node";
import type { grid } from "../support/transports.ts";
import type { Site } from "./good-clients.ts";

/** A transport whose connections can be closed, as happens when a client is restarted. */
export function closable(
  name: (typeof grid)[number],
  { baseUrl, ca }: Site,
): { transport: Transport; close(): void } {
  if (name.endsWith("h1")) {
    const agent = ca ? new SecureAgent({ keepAlive: true, ca }) : new Agent({ keepAlive: true });
    const options = { baseUrl, httpVersion: "1.1", nodeOptions: { agent } } as const;
    const transport = name.startsWith("Connect")
      ? createConnectTransport(options)
      : createGrpcWebTransport(options);
    return { transport, close: () => agent.destroy() };
  }
  const sessionManager = new Http2SessionManager(baseUrl, {}, { ca });
  const options = { baseUrl, httpVersion: "2", sessionManager } as const;
  const create = name.startsWith("Connect")
    ? createConnectTransport
    : name.startsWith("gRPC-Web")
      ? createGrpcWebTransport
      : createGrpcTransport;
  return { transport: create(options as never), close: () => sessionManager.abort() };
}
