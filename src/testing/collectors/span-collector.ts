import type { Attributes, TracerProvider } from "@opentelemetry/api";
import { SpanKind, SpanStatusCode } from "@opentelemetry/api";
import {
  InMemorySpanExporter,
  NodeTracerProvider,
  type ReadableSpan,
  SimpleSpanProcessor,
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
  readonly #exporter = new InMemorySpanExporter();
  readonly #provider = new NodeTracerProvider({
    spanProcessors: [new SimpleSpanProcessor(this.#exporter)],
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
    await this.#provider.forceFlush();
    const spans = this.#exporter.getFinishedSpans();
    this.#exporter.reset();
    const ids = new Set(spans.map((span) => span.spanContext().spanId));
    const isRoot = ({ parentSpanContext }: ReadableSpan) =>
      parentSpanContext === undefined || !ids.has(parentSpanContext.spanId);
    return sorted(spans.filter(isRoot).map((span) => collect(span, spans)));
  }
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
