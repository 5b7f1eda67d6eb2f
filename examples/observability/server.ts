import type { AddressInfo } from "node:net";
import { pathToFileURL } from "node:url";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { createServer, defineService, type Server, singleTransportResolver } from "connectum/core";
import {
  createOtelClientInterceptor,
  createOtelInterceptor,
  initProvider,
  otelShutdownHook,
} from "connectum/otel";
import { OrderService, PaymentService, StockService } from "./gen/shop/v1/shop_pb.js";
import { orders, payments, stock } from "./services.ts";

/** Two servers: orders and stock in one, payments in another. Telemetry goes where `OTEL_*` says. */
export async function main(port = 5000): Promise<Server> {
  const { prometheus } = await initProvider({
    serviceName: "shop",
    exporters: { prometheus: { path: "/metrics" } },
  });
  const paymentServer = createServer({
    services: [defineService(PaymentService, payments)],
    host: "127.0.0.1",
    port: 0,
    // Only the shop can reach it, so its traces go on here.
    interceptors: [createOtelInterceptor({ trustRemote: true })],
  });
  await paymentServer.start();
  const { port: paymentPort } = paymentServer.address as AddressInfo;
  const server: Server = createServer({
    services: [
      defineService(StockService, stock),
      defineService(
        OrderService,
        orders(() => ({
          stock: server.client(StockService),
          payments: server.client(PaymentService),
        })),
      ),
    ],
    host: "127.0.0.1",
    port,
    protocols: prometheus ? [prometheus] : [],
    interceptors: [createOtelInterceptor()],
    outgoingInterceptors: [createOtelClientInterceptor()],
    remoteResolver: singleTransportResolver(
      createGrpcTransport({ baseUrl: `http://127.0.0.1:${paymentPort}` }),
    ),
    shutdown: { autoShutdown: true },
  });
  server.onShutdown("payments", () => paymentServer.stop());
  otelShutdownHook(server, { after: ["payments"] });
  await server.start();
  return server;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const server = await main(Number(process.env.PORT ?? 5000));
  console.log("shop listens on", server.address);
}
