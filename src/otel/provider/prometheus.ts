import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { IMetricReader } from "@opentelemetry/sdk-metrics";
import {
  ConnectumError,
  type NodeRequest,
  type NodeResponse,
  type ProtocolRegistration,
} from "../../core/index.ts";
import { checkInteger, checkKeys, checkText, show } from "../../core/internal.ts";
import { loadPackage } from "./load-package.ts";

export interface PrometheusOptions {
  /** Where the metrics are read. Default `/metrics`. */
  readonly path?: string;
  /** A port of its own; 0 takes a free one. Default: none, the metrics are a protocol of the server. */
  readonly port?: number;
  /** Only with `port`. Default: all addresses. */
  readonly host?: string;
}

/** Metrics as Prometheus reads them. */
export interface Prometheus {
  readonly reader: IMetricReader;
  /** For `protocols` of a server; answers GET and HEAD at the path. */
  readonly protocol: ProtocolRegistration;
  /** The port of its own, if it was asked for. */
  readonly port: number | undefined;
  close(): Promise<void>;
}

export async function createPrometheus(options: PrometheusOptions = {}): Promise<Prometheus> {
  checkKeys("exporters.prometheus", options, ["path", "port", "host"]);
  const { path = "/metrics", port, host } = options;
  if (typeof path !== "string" || !path.startsWith("/")) {
    throw new ConnectumError(
      "INVALID_OPTION",
      `exporters.prometheus.path must begin with "/", got ${show(path)}`,
    );
  }
  if (port !== undefined) checkInteger("exporters.prometheus.port", port, 0, 65_535);
  if (host !== undefined) checkText("exporters.prometheus.host", host);
  const { PrometheusExporter, PrometheusSerializer } = await loadPackage(
    "@opentelemetry/exporter-prometheus",
    "metrics for Prometheus",
    () => import("@opentelemetry/exporter-prometheus"),
  );
  const reader = new PrometheusExporter({ preventServerStart: true });
  const serializer = new PrometheusSerializer();
  const answer = async (request: NodeRequest, response: NodeResponse): Promise<boolean> => {
    const { pathname } = new URL(request.url ?? "/", "http://metrics");
    const isRead = request.method === "GET" || request.method === "HEAD";
    if (pathname !== path || !isRead) return false;
    const { resourceMetrics } = await reader.collect();
    const text = serializer.serialize(resourceMetrics);
    response.statusCode = 200;
    response.setHeader("content-type", "text/plain; version=0.0.4; charset=utf-8");
    response.end(request.method === "HEAD" ? "" : text);
    return true;
  };
  const own = port === undefined ? undefined : await listen(answer, port, host);
  return {
    reader,
    protocol: { name: "prometheus", register() {}, httpHandler: answer },
    port: own && (own.address() as AddressInfo).port,
    close: () => close(own),
  };
}

type Answer = (request: NodeRequest, response: NodeResponse) => Promise<boolean>;

async function listen(answer: Answer, port: number, host: string | undefined): Promise<Server> {
  const server = createServer((request, response) => {
    const refuse = (status: number) => {
      response.statusCode = status;
      response.end();
    };
    answer(request, response).then(
      (isDone) => isDone || refuse(404),
      () => refuse(500),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) => {
      const where = `${host ?? "*"}:${port}`;
      const message = `cannot listen for Prometheus on ${where}: ${error.message}`;
      reject(new ConnectumError("LISTEN_FAILED", message, { cause: error }));
    });
    server.listen({ port, host }, resolve);
  });
  // The metrics are no reason for a process to live on.
  return server.unref();
}

function close(server: Server | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (!server) {
      resolve();
      return;
    }
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
