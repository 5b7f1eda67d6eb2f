import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { Interceptor, Transport } from "@connectrpc/connect";
import type { Server } from "../../core/index.ts";
import { createDefaultInterceptors } from "../../interceptors/index.ts";
import { createOtelClientInterceptor, createOtelInterceptor } from "../../otel/index.ts";
import { InMemoryMetricCollector } from "../collectors/metric-collector.ts";
import { InMemorySpanCollector } from "../collectors/span-collector.ts";
import { createTestServer, type TestServerOptions } from "../test-server.ts";
import { type Compare, defaultCompare, type Outcomes } from "./compare.ts";
import { observeTransport } from "./observe-transport.ts";
import type { ObservedCall, Outcome, TransportKind } from "./outcome.ts";
import { plain } from "./plain.ts";

/** What a scenario works with. */
export interface ScenarioContext {
  readonly transport: Transport;
  readonly transportKind: TransportKind;
  readonly server: Server;
  /** Not there in process. */
  readonly baseUrl?: string;
  readonly spans: InMemorySpanCollector;
  readonly metrics: InMemoryMetricCollector;
}

/** The options of `createTestServer`, of which each transport gets a server of its own. */
export interface ParityOptions extends Omit<TestServerOptions, "t"> {
  /** Of the server. Default `createDefaultInterceptors()`. */
  readonly interceptors?: readonly Interceptor[];
  /**
   * Which transports are held against each other, the first being the reference. Default `grpc`,
   * `connect`, `grpcWeb`, `local`; `connectHttp1` and `grpcWebHttp1` are there as well.
   */
  readonly transports?: readonly TransportKind[];
  /**
   * Traces and measures client and server, and compares spans and metrics. False leaves the server with
   * `interceptors` alone, and both empty. Default true.
   */
  readonly telemetry?: boolean;
  /** How long the scenario may take over all transports together, in milliseconds. Default 60 000. */
  readonly timeoutMs?: number;
  /** Runs once over each transport; what it returns or throws is compared. */
  readonly scenario: (context: ScenarioContext) => unknown;
  /** Default {@link defaultCompare}. */
  readonly compare?: Compare;
  /** The result every transport must give, so that equal wrong answers fail too. */
  readonly expect?: unknown;
}

const usualTransports: readonly TransportKind[] = ["grpc", "connect", "grpcWeb", "local"];

/**
 * Registers a test that runs a scenario over gRPC, Connect, gRPC-Web and in process, each with a fresh
 * server, and fails where one of them differs in answer, headers, trailers, error, spans or metrics.
 */
export function transportParityTest(name: string, options: ParityOptions): void {
  test(name, { timeout: options.timeoutMs ?? 60_000 }, async (t) => {
    const outcomes = await observeEach(options, t);
    (options.compare ?? defaultCompare)(outcomes);
    if (!("expect" in options)) return;
    for (const [kind, { result, thrown }] of outcomes) {
      assert.deepEqual(thrown ?? result, plain(options.expect), `${kind} is not as expected`);
    }
  });
}

/** The outcomes of a scenario, for comparisons of another kind. */
export function observeAll(options: ParityOptions): Promise<Outcomes> {
  return observeEach(options);
}

async function observeEach(options: ParityOptions, t?: TestContext): Promise<Outcomes> {
  const outcomes = new Map<TransportKind, Outcome>();
  const { transports = usualTransports } = options;
  for (const kind of transports) outcomes.set(kind, await observe(kind, options, t));
  return outcomes;
}

async function observe(
  kind: TransportKind,
  options: ParityOptions,
  t: TestContext | undefined,
): Promise<Outcome> {
  const {
    interceptors = createDefaultInterceptors(),
    clientInterceptors = [],
    telemetry: isTelling = true,
    scenario,
    transports: _transports,
    compare: _compare,
    expect: _expect,
    timeoutMs: _timeoutMs,
    ...serverOptions
  } = options;
  const spans = new InMemorySpanCollector();
  const metrics = new InMemoryMetricCollector();
  const telemetry = { tracerProvider: spans.tracerProvider, meterProvider: metrics.meterProvider };
  const testServer = await createTestServer({
    ...serverOptions,
    // A scenario that runs out of time leaves its server behind.
    t,
    interceptors: [...(isTelling ? [createOtelInterceptor(telemetry)] : []), ...interceptors],
    clientInterceptors: [
      ...(isTelling ? [createOtelClientInterceptor(telemetry)] : []),
      ...clientInterceptors,
    ],
  });
  const calls: ObservedCall[] = [];
  const transport = observeTransport(testServer.transports[kind], calls);
  const { server, baseUrl } = testServer;
  const context: ScenarioContext = {
    transport,
    transportKind: kind,
    server,
    ...(kind === "local" ? {} : { baseUrl }),
    spans,
    metrics,
  };
  let ending: Pick<Outcome, "result" | "thrown">;
  try {
    ending = { result: plain(await scenario(context)) };
  } catch (error) {
    ending = { thrown: plain(error) };
  } finally {
    // Calls that the client left end on the server before it has stopped.
    await testServer.close();
  }
  return { ...ending, calls, spans: await spans.flush(), metrics: await metrics.flush() };
}
