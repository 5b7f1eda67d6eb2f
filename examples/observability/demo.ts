import type { AddressInfo } from "node:net";
import { pathToFileURL } from "node:url";
import { type Backend, startCollector, startPrometheus } from "./backends.ts";
import { main as startShop } from "./server.ts";
import { main as makeTraffic } from "./traffic.ts";

export interface DemoOptions {
  /** 0 takes free ports, but for Prometheus, which needs to know its own. */
  readonly shopPort?: number;
  readonly collectorPort?: number;
  readonly prometheusPort?: number;
}

export interface Demo {
  readonly shop: string;
  readonly collector: string;
  readonly prometheus: string;
  stop(): Promise<void>;
}

/** Starts a collector, the shop and Prometheus, each on this machine and without a container. */
export async function main(options: DemoOptions = {}): Promise<Demo> {
  const { shopPort = 5000, collectorPort = 4318, prometheusPort = 9090 } = options;
  const backends: Backend[] = [];
  const stopBackends = async () => {
    for (const backend of backends) await backend.stop();
  };
  try {
    const collector = await startCollector(collectorPort);
    backends.push(collector);
    process.env.OTEL_EXPORTER_OTLP_ENDPOINT = collector.url;
    process.env.OTEL_BSP_SCHEDULE_DELAY ??= "500";
    const server = await startShop(shopPort);
    const target = `127.0.0.1:${(server.address as AddressInfo).port}`;
    const prometheus = await startPrometheus(prometheusPort, target);
    backends.push(prometheus);
    return {
      shop: `http://${target}`,
      collector: collector.url,
      prometheus: prometheus.url,
      async stop() {
        if (server.isRunning) await server.stop();
        await stopBackends();
      },
    };
  } catch (error) {
    await stopBackends();
    throw error;
  }
}

/** The page of Prometheus that draws calls per second. */
export function graphUrl(prometheus: string): string {
  const query = "sum by (rpc_method) (rate(rpc_server_call_duration_count[30s]))";
  return `${prometheus}/graph?g0.expr=${encodeURIComponent(query)}&g0.tab=0&g0.range_input=1m`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const demo = await main();
  console.log(`shop         ${demo.shop}
metrics      ${demo.shop}/metrics
spans        ${demo.collector}/spans
log records  ${demo.collector}/logs
Prometheus   ${graphUrl(demo.prometheus)}

Customers come and go until Ctrl-C.`);
  process.once("SIGINT", () => void demo.stop().then(() => process.exit()));
  for (;;) await makeTraffic(demo.shop, 10, 50);
}
