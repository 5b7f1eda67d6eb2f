import type { AddressInfo } from "node:net";
import { createServer } from "connectum/core";
import { loadService } from "./service.ts";

const server = createServer({
  services: [loadService()],
  host: "127.0.0.1",
  port: 0,
  ...JSON.parse(process.argv[2] ?? "{}"),
});
await server.start();
process.send?.((server.address as AddressInfo).port);
process.on("disconnect", () => process.exit());
process.on("message", () => {
  (globalThis as { gc?: () => void }).gc?.();
  const { rss, heapUsed } = process.memoryUsage();
  server.transport?.getConnections((_, connections) => {
    const mib = (bytes: number) => Math.round((bytes / 1024 / 1024) * 10) / 10;
    process.send?.({ rssMiB: mib(rss), heapMiB: mib(heapUsed), connections });
  });
});
