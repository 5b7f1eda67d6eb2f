import type { AddressInfo } from "node:net";
import type { Interceptor } from "@connectrpc/connect";
import { MeterProvider, MetricReader } from "@opentelemetry/sdk-metrics";
import {
  BatchSpanProcessor,
  InMemorySpanExporter,
  NodeTracerProvider,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
} from "@opentelemetry/sdk-trace-node";
import { createServer, defineService } from "connectum/core";
import { createOtelInterceptor } from "connectum/otel";
import { EchoService } from "../../gen/connectum/bench/v1/echo_pb.js";
import { answerQuestions } from "./host.ts";
import { echoService } from "./service.ts";

// Argument: `none` without the interceptor, `no-sdk` with it alone, `sampled` with 1 % and metrics.
const mode = process.argv[2];

class Reader extends MetricReader {
  protected override async onForceFlush(): Promise<void> {}
  protected override async onShutdown(): Promise<void> {}
}

/** Takes the batches and keeps nothing. */
class DroppingExporter extends InMemorySpanExporter {
  override export(...[, callback]: Parameters<InMemorySpanExporter["export"]>): void {
    callback({ code: 0 });
  }
}

function interceptors(): Interceptor[] {
  if (mode === "none") return [];
  if (mode === "no-sdk") return [createOtelInterceptor()];
  const tracerProvider = new NodeTracerProvider({
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(0.01) }),
    spanProcessors: [new BatchSpanProcessor(new DroppingExporter())],
  });
  tracerProvider.register();
  const meterProvider = new MeterProvider({ readers: [new Reader()] });
  return [createOtelInterceptor({ tracerProvider, meterProvider })];
}

const server = createServer({
  services: [defineService(EchoService, echoService)],
  interceptors: interceptors(),
  host: "127.0.0.1",
  port: 0,
});
await server.start();
answerQuestions((server.address as AddressInfo).port);
