import { trace } from "@opentelemetry/api";

/** What ties a log line to its trace. */
export interface TraceLogFields {
  readonly trace_id?: string;
  readonly span_id?: string;
  /** Two hexadecimal digits; `01` where the trace is sampled. */
  readonly trace_flags?: string;
}

/**
 * For the `mixin` option of pino: every line that is written while a span is active carries
 * `trace_id`, `span_id` and `trace_flags`.
 */
export function traceLogMixin(): () => TraceLogFields {
  return () => {
    const spanContext = trace.getActiveSpan()?.spanContext();
    if (!spanContext || !trace.isSpanContextValid(spanContext)) return {};
    const { traceId, spanId, traceFlags } = spanContext;
    return {
      trace_id: traceId,
      span_id: spanId,
      trace_flags: traceFlags.toString(16).padStart(2, "0"),
    };
  };
}
