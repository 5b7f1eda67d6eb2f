import {
  type HrTime,
  type Link,
  SpanKind,
  SpanStatusCode,
  type TimeInput,
} from "@opentelemetry/api";
import {
  type DataPoint,
  type Histogram,
  MeterProvider,
  MetricReader,
} from "@opentelemetry/sdk-metrics";
import {
  NodeTracerProvider,
  type ReadableSpan,
  type Sampler,
  type SpanProcessor,
} from "@opentelemetry/sdk-trace-node";

/** A clock that moves when it is told to. */
export class ManualClock {
  #ms = 1_000_000_000_000;

  now(): number {
    return this.#ms;
  }

  tick(ms: number): void {
    this.#ms += ms;
  }
}

class Reader extends MetricReader {
  protected override async onForceFlush(): Promise<void> {}
  protected override async onShutdown(): Promise<void> {}
}

/**
 * Keeps every span and measurement as the SDK gives them: the collectors of `connectum/testing` leave out ids,
 * times and durations, which the tests of this folder are about.
 */
export class Collected {
  readonly spans: ReadableSpan[] = [];
  readonly tracerProvider: NodeTracerProvider;
  readonly meterProvider: MeterProvider;
  readonly #reader = new Reader();
  #waiting: { count: number; resolve: () => void } | undefined;

  constructor(options: { sampler?: Sampler; now?: () => number } = {}) {
    const processor: SpanProcessor = {
      onStart: () => {},
      onEnd: (span) => {
        this.spans.push(span);
        if (this.#waiting && this.spans.length >= this.#waiting.count) this.#waiting.resolve();
      },
      forceFlush: async () => {},
      shutdown: async () => {},
    };
    this.tracerProvider = new NodeTracerProvider({
      spanProcessors: [processor],
      sampler: options.sampler,
    });
    this.meterProvider = new MeterProvider({ readers: [this.#reader] });
  }

  /** Both providers, as options of the interceptors. */
  get providers() {
    return { tracerProvider: this.tracerProvider, meterProvider: this.meterProvider };
  }

  /** Resolves when so many spans have ended. */
  async ended(count: number): Promise<readonly ReadableSpan[]> {
    if (this.spans.length < count) {
      await new Promise<void>((resolve) => {
        this.#waiting = { count, resolve };
      });
    }
    return this.spans;
  }

  one(kind: SpanKind): ReadableSpan {
    const spans = this.spans.filter((span) => span.kind === kind);
    const [span] = spans;
    if (!span || spans.length > 1) throw new Error(`${spans.length} spans of kind ${kind}`);
    return span;
  }

  get server(): ReadableSpan {
    return this.one(SpanKind.SERVER);
  }

  get client(): ReadableSpan {
    return this.one(SpanKind.CLIENT);
  }

  /** All data points by the name of their metric. */
  async metrics(): Promise<Map<string, Point[]>> {
    const { resourceMetrics } = await this.#reader.collect();
    const metrics = resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics);
    return new Map(
      metrics.map(({ descriptor, dataPoints }) => [
        descriptor.name,
        dataPoints.map((point) => ({ ...point, unit: descriptor.unit }) as Point),
      ]),
    );
  }
}

export type Point = DataPoint<number | Histogram> & { readonly unit: string };

/** Every span and metric as lines of text: all that is in them, ids and stack traces apart. */
export async function describe(collected: Collected, startMs: number): Promise<string[]> {
  const names = new Map(
    collected.spans.map((span) => [span.spanContext().spanId, SpanKind[span.kind]]),
  );
  const lines: string[] = [];
  for (const span of [...collected.spans].sort((a, b) => b.kind - a.kind)) {
    lines.push(...describeSpan(span, names, startMs));
  }
  const points = new Map<string, string[]>();
  for (const [name, list] of [...(await collected.metrics())].sort(([x], [y]) =>
    x < y ? -1 : 1,
  )) {
    for (const point of list) {
      const attributes = flat(point.attributes);
      const lines = points.get(attributes) ?? [];
      lines.push(`  ${name} [${point.unit}] ${figureOf(point)}`);
      points.set(attributes, lines);
    }
  }
  for (const [attributes, figures] of points) lines.push(`METRICS ${attributes}`, ...figures);
  return lines;
}

function describeSpan(
  span: ReadableSpan,
  names: ReadonlyMap<string, string | undefined>,
  startMs: number,
): string[] {
  const { kind, name, parentSpanContext, links, status, events, instrumentationScope } = span;
  const parent = parentSpanContext ? names.get(parentSpanContext.spanId) : "none";
  const linked = links.map(({ context }: Link) => names.get(context.spanId)).join() || "none";
  const time = `${ms(span.startTime) - startMs}..${ms(span.endTime) - startMs} ms`;
  const { code, message } = status;
  return [
    `${SpanKind[kind]} ${name} ${time}, parent ${parent}, links ${linked}, ` +
      `status ${SpanStatusCode[code]}${message === undefined ? "" : ` ${JSON.stringify(message)}`}, ` +
      `by ${instrumentationScope.name}`,
    `  ${flat(span.attributes)}`,
    ...events.map(
      (event) =>
        `  ${event.name} at ${ms(event.time) - startMs} ms ${flat({
          ...event.attributes,
          ...(event.attributes?.["exception.stacktrace"] && { "exception.stacktrace": "..." }),
        })}`,
    ),
  ];
}

function figureOf({ value }: Point): string {
  if (typeof value === "number") return String(value);
  const { count, sum, min, max, buckets } = value;
  const { boundaries, counts } = buckets;
  const filled = counts.flatMap((number, index) =>
    number > 0 ? [`${number} up to ${boundaries[index] ?? "infinity"}`] : [],
  );
  return `count ${count}, sum ${sum}, min ${min}, max ${max}, ${filled.join(", ")}`;
}

function flat(attributes: object): string {
  const pairs = Object.entries(attributes).sort();
  return `{${pairs.map(([key, value]) => `${key}=${value}`).join(" ")}}`;
}

export function ms(time: HrTime | TimeInput): number {
  const [seconds, nanoseconds] = time as HrTime;
  return seconds * 1000 + nanoseconds / 1e6;
}
