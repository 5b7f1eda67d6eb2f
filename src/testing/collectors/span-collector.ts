import type { Attributes, TracerProvider } from "@opentelemetry/api";
import { SpanKind, SpanStatusCode, TraceFlags } from "@opentelemetry/api";
import {
  NodeTracerProvider,
  type ReadableSpan,
  type SpanProcessor,
} from "@opentelemetry/sdk-trace-node";
import type { Server } from "../../core/index.ts";
import { createOtelInterceptor } from "../../otel/index.ts";

/** A finished span without what differs from run to run: ids and times. */
export interface CollectedSpan {
  readonly name: string;
  readonly kind: string;
  readonly status: string;
  readonly statusMessage?: string;
  readonly attributes: Attributes;
  readonly events: ReadonlyArray<{ readonly name: string; readonly attributes: Attributes }>;
  /** How many spans it links to. */
  readonly links: number;
  readonly children: readonly CollectedSpan[];
}

/** Keeps spans in memory, and gives them as sorted trees that can be compared. */
export class InMemorySpanCollector {
  readonly #ended = new EndedSpans();
  readonly #provider = new NodeTracerProvider({
    spanProcessors: [this.#ended],
    // By default only the last 128 events of a span are kept, which makes long streams differ by chance.
    spanLimits: { eventCountLimit: Number.POSITIVE_INFINITY },
  });

  /** For interceptors and code that take one; never registered globally. */
  get tracerProvider(): TracerProvider {
    return this.#provider;
  }

  /** Adds an interceptor that traces every call of this server. Before its routes freeze. */
  register(server: Server): void {
    server.addInterceptor(
      createOtelInterceptor({ tracerProvider: this.#provider, metrics: false }),
    );
  }

  /** The spans that have ended since the last flush, parents with their children. */
  async flush(): Promise<CollectedSpan[]> {
    const spans = this.#ended.take();
    const ids = new Set(spans.map((span) => span.spanContext().spanId));
    const isRoot = ({ parentSpanContext }: ReadableSpan) =>
      parentSpanContext === undefined || !ids.has(parentSpanContext.spanId);
    return sorted(spans.filter(isRoot).map((span) => collect(span, spans)));
  }
}

/** Has no timers, unlike the exporters of the SDK, which a fake clock would bring to a halt. */
class EndedSpans implements SpanProcessor {
  #spans: ReadableSpan[] = [];

  onStart(): void {}

  onEnd(span: ReadableSpan): void {
    if (span.spanContext().traceFlags & TraceFlags.SAMPLED) this.#spans.push(span);
  }

  take(): ReadableSpan[] {
    const spans = this.#spans;
    this.#spans = [];
    return spans;
  }

  async forceFlush(): Promise<void> {}
  async shutdown(): Promise<void> {}
}

function collect(span: ReadableSpan, all: readonly ReadableSpan[]): CollectedSpan {
  const { spanId } = span.spanContext();
  const children = all.filter(({ parentSpanContext }) => parentSpanContext?.spanId === spanId);
  const { code, message } = span.status;
  return {
    name: span.name,
    kind: SpanKind[span.kind],
    status: SpanStatusCode[code],
    ...(message === undefined ? {} : { statusMessage: message }),
    attributes: sortedAttributes(span.attributes),
    events: span.events.map(({ name, attributes = {} }) => ({
      name,
      attributes: sortedAttributes(withoutStack(attributes)),
    })),
    links: span.links.length,
    children: sorted(children.map((child) => collect(child, all))),
  };
}

/** A stack names files and lines, which differ from machine to machine. */
function withoutStack(attributes: Attributes): Attributes {
  const { "exception.stacktrace": _, ...rest } = attributes;
  return rest;
}

export function sortedAttributes(attributes: Attributes): Attributes {
  return Object.fromEntries(
    Object.entries(attributes).sort(([one], [other]) => (one < other ? -1 : 1)),
  );
}

function sorted(spans: CollectedSpan[]): CollectedSpan[] {
  return spans
    .map((span) => [JSON.stringify(span), span] as const)
    .sort(([one], [other]) => (one < other ? -1 : one > other ? 1 : 0))
    .map(([, span]) => span);
}
