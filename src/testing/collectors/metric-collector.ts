import type { Attributes, MeterProvider as MeterProviderApi } from "@opentelemetry/api";
import {
  DataPointType,
  MeterProvider,
  type MetricData,
  MetricReader,
} from "@opentelemetry/sdk-metrics";
import type { Server } from "../../core/index.ts";
import { createOtelInterceptor } from "../../otel/index.ts";
import { sortedAttributes } from "./span-collector.ts";

/** A metric without what differs from run to run: times, and the values of durations. */
export interface CollectedMetric {
  readonly name: string;
  readonly unit: string;
  readonly points: readonly CollectedPoint[];
}

export interface CollectedPoint {
  readonly attributes: Attributes;
  /** How many values a histogram has got. */
  readonly count?: number;
  /** The sum of a histogram's values, unless they are durations. */
  readonly sum?: number;
  /** The value of a counter or gauge. */
  readonly value?: number;
}

/** Keeps metrics in memory, and gives them in a sorted form that can be compared. */
export class InMemoryMetricCollector {
  readonly #reader = new ManualReader();
  readonly #provider = new MeterProvider({ readers: [this.#reader] });

  /** For interceptors and code that take one; never registered globally. */
  get meterProvider(): MeterProviderApi {
    return this.#provider;
  }

  /** Adds an interceptor that measures every call of this server. Before its routes freeze. */
  register(server: Server): void {
    server.addInterceptor(createOtelInterceptor({ meterProvider: this.#provider, traces: false }));
  }

  /** Everything measured so far. */
  async flush(): Promise<CollectedMetric[]> {
    const { resourceMetrics } = await this.#reader.collect();
    return resourceMetrics.scopeMetrics
      .flatMap(({ metrics }) => metrics.map(collect))
      .filter(({ points }) => points.length > 0)
      .sort((one, other) => (one.name < other.name ? -1 : 1));
  }
}

/** Collects only when it is asked to. */
class ManualReader extends MetricReader {
  protected override async onForceFlush(): Promise<void> {}
  protected override async onShutdown(): Promise<void> {}
}

function collect(metric: MetricData): CollectedMetric {
  const { name, unit } = metric.descriptor;
  const points = metric.dataPoints.map(({ attributes }, index) => ({
    attributes: sortedAttributes(attributes),
    ...measured(metric, index),
  }));
  const order = (point: CollectedPoint) => JSON.stringify(point);
  points.sort((one, other) => (order(one) < order(other) ? -1 : 1));
  return { name, unit, points };
}

function measured(metric: MetricData, index: number): Omit<CollectedPoint, "attributes"> {
  if (metric.dataPointType === DataPointType.HISTOGRAM) {
    const { count, sum } = metric.dataPoints[index]?.value ?? { count: 0 };
    return metric.descriptor.unit === "s" ? { count } : { count, sum };
  }
  if (metric.dataPointType === DataPointType.EXPONENTIAL_HISTOGRAM) {
    return { count: metric.dataPoints[index]?.value.count };
  }
  return { value: metric.dataPoints[index]?.value };
}
