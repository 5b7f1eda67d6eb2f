import type { AddressInfo } from "node:net";
import { pathToFileURL } from "node:url";
import { fromJson, type JsonValue } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { createServer, defineService, type Server } from "connectum/core";
import { createDefaultInterceptors } from "connectum/interceptors";
import { MarkPaidRequestSchema, OrderService } from "./gen/orders/v1/orders_pb.js";
import { createOrders } from "./orders.ts";
import { Webhook } from "./webhook.ts";

export function buildServer(secret: string, port = 5000): Server {
  const server = createServer({
    services: [defineService(OrderService, createOrders())],
    port,
    interceptors: createDefaultInterceptors(),
    shutdown: { autoShutdown: true },
  });
  const orders = server.localClient(OrderService);
  server.addProtocol(
    Webhook({
      path: "/webhooks/payments",
      secret,
      // An event becomes a call: validation, deadlines, logs and traces are those of every other call.
      async receive(event) {
        await orders.markPaid(readEvent(event), { timeoutMs: 5_000 });
      },
    }),
  );
  return server;
}

function readEvent(event: unknown) {
  try {
    return fromJson(MarkPaidRequestSchema, event as JsonValue, { ignoreUnknownFields: true });
  } catch (cause) {
    throw new ConnectError("not a payment", Code.InvalidArgument, undefined, undefined, cause);
  }
}

export async function main(secret: string, port?: number): Promise<Server> {
  const server = buildServer(secret, port);
  await server.start();
  return server;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const secret = process.env.WEBHOOK_SECRET;
  if (!secret) throw new Error("set WEBHOOK_SECRET, as the sender has it");
  const server = await main(secret, Number(process.env.PORT ?? 5000));
  console.log(`orders listen on port ${(server.address as AddressInfo).port}`);
}
