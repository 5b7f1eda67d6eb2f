/** A span as the collector tells it. */
export interface TracedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly name: string;
  /** 1 internal, 2 server, 3 client. */
  readonly kind: number;
  readonly startNs: number;
  readonly endNs: number;
  /** 2 is an error. */
  readonly status: number;
  readonly attributes: Readonly<Record<string, unknown>>;
}

const WIDTH = 920;
const LABEL = 400;
const ROW = 30;
const TOP = 44;
const colours: Readonly<Record<number, string>> = { 1: "#8c8c8c", 2: "#2f6fdd", 3: "#e08a1e" };
const kinds: Readonly<Record<number, string>> = { 1: "", 2: "server", 3: "client" };

/** One trace as an SVG: a row for each span, children below their parent, time from left to right. */
export function drawTrace(spans: readonly TracedSpan[]): string {
  const start = Math.min(...spans.map(({ startNs }) => startNs));
  const total = Math.max(...spans.map(({ endNs }) => endNs)) - start;
  const x = (ns: number) => LABEL + ((ns - start) / total) * (WIDTH - LABEL - 70);
  const rows = inOrder(spans).map(({ span, depth }, index) => {
    const y = TOP + index * ROW;
    const width = Math.max(2, x(span.endNs) - x(span.startNs));
    const colour = span.status === 2 ? "#c92a2a" : (colours[span.kind] ?? "#8c8c8c");
    const transport = span.attributes["connectum.transport"];
    const note = [kinds[span.kind], transport].filter(Boolean).join(", ");
    const ms = ((span.endNs - span.startNs) / 1e6).toFixed(1);
    return `<text x="${12 + depth * 16}" y="${y + 15}">${escapeXml(span.name)} <tspan fill="#777">${escapeXml(note)}</tspan></text>
<rect x="${x(span.startNs).toFixed(1)}" y="${y + 3}" width="${width.toFixed(1)}" height="16" rx="3" fill="${colour}"/>
<text x="${(x(span.endNs) + 6).toFixed(1)}" y="${y + 15}" fill="#555">${ms} ms</text>`;
  });
  const height = TOP + spans.length * ROW + 8;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, sans-serif" font-size="13">
<title>Trace ${escapeXml(spans[0]?.traceId ?? "")}</title>
<rect width="100%" height="100%" fill="#fff"/>
<text x="12" y="24" fill="#555">trace ${escapeXml(spans[0]?.traceId ?? "")}, ${(total / 1e6).toFixed(1)} ms</text>
${rows.join("\n")}
</svg>
`;
}

/** Depth first, by the time of the start. */
function inOrder(spans: readonly TracedSpan[]): Array<{ span: TracedSpan; depth: number }> {
  const ids = new Set(spans.map(({ spanId }) => spanId));
  const visit = (parent: string, depth: number): Array<{ span: TracedSpan; depth: number }> =>
    spans
      .filter((span) => (ids.has(span.parentSpanId) ? span.parentSpanId : "") === parent)
      .sort((a, b) => a.startNs - b.startNs)
      .flatMap((span) => [{ span, depth }, ...visit(span.spanId, depth + 1)]);
  return visit("", 0);
}

function escapeXml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
