import type { AddressInfo } from "node:net";
import { createServer } from "connectum/core";
import { Healthcheck } from "connectum/healthcheck";
import { loadService } from "../load/service.ts";
import { READ_MAX_BYTES } from "./good-clients.ts";

// The server of the soak, in a process of its own so that its memory is its own. It answers "sample"
// with figures and "stop" with an orderly end.

export interface Sample {
  readonly rssMiB: number;
  readonly heapMiB: number;
  readonly externalMiB: number;
  readonly connections: number;
  /** Sockets, timers and whatever else keeps a process busy. */
  readonly handles: number;
}

export type Report =
  | { readonly kind: "ready"; readonly plaintext: number; readonly tls: number }
  | { readonly kind: "sample"; readonly sample: Sample }
  | { readonly kind: "error"; readonly text: string }
  | { readonly kind: "stopped" };

const report = (message: Report) => void process.send?.(message);
const unexpected = (error: unknown) =>
  report({ kind: "error", text: error instanceof Error ? (error.stack ?? "") : String(error) });
process.on("uncaughtException", unexpected);
process.on("unhandledRejection", unexpected);
process.on("disconnect", () => process.exit());

const common = () => ({
  services: [loadService()],
  protocols: [Healthcheck({ httpEnabled: true })],
  host: "127.0.0.1",
  port: 0,
  headersTimeoutMs: 10_000,
  handshakeTimeout: 10_000,
  bodyIdleTimeoutMs: 10_000,
  writeIdleTimeoutMs: 10_000,
  readMaxBytes: READ_MAX_BYTES,
  shutdown: { timeout: 10_000 },
});
const dirPath = process.argv[2] as string;
const servers = [
  createServer(common()),
  createServer({ ...common(), tls: { dirPath, reload: { intervalMs: 500 } } }),
] as const;
for (const server of servers) {
  server.on("error", unexpected);
  await server.start();
}
const [plaintext, tls] = servers.map(({ address }) => (address as AddressInfo).port);
report({ kind: "ready", plaintext: plaintext as number, tls: tls as number });

process.on("message", async (request) => {
  if (request === "sample") report({ kind: "sample", sample: await takeSample() });
  if (request !== "stop") return;
  await Promise.all(servers.map((server) => server.stop())).catch(unexpected);
  report({ kind: "stopped" });
  process.disconnect?.();
});

async function takeSample(): Promise<Sample> {
  (globalThis as { gc?: () => void }).gc?.();
  const { rss, heapUsed, external } = process.memoryUsage();
  const counts = await Promise.all(
    servers.map(
      ({ transport }) =>
        new Promise<number>((resolve) => transport?.getConnections((_, count) => resolve(count))),
    ),
  );
  const mib = (bytes: number) => Math.round((bytes / 1024 / 1024) * 10) / 10;
  return {
    rssMiB: mib(rss),
    heapMiB: mib(heapUsed),
    externalMiB: mib(external),
    connections: counts.reduce((sum, count) => sum + count, 0),
    handles: process.getActiveResourcesInfo().length,
  };
}
