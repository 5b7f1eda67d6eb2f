import { AssertionError } from "node:assert";
import type { CollectedMetric } from "../collectors/metric-collector.ts";
import type { CollectedSpan } from "../collectors/span-collector.ts";
import { differences, explain } from "./difference.ts";
import type { Outcome, TransportKind } from "./outcome.ts";

/** The outcomes of one scenario, by transport, the first being what the others are held against. */
export type Outcomes = ReadonlyMap<TransportKind, Outcome>;

/** Throws when outcomes differ. */
export type Compare = (outcomes: Outcomes) => void;

/**
 * Holds every outcome against the first. Left out is what differs by nature: the attribute
 * `connectum.transport`, the label `transport`, attributes of a protocol and of an address, who is
 * parent of a server span, and how the messages sent and received on a stream took turns.
 */
export function defaultCompare(outcomes: Outcomes): void {
  const [[referenceKind, reference] = [], ...others] = [...outcomes];
  if (!referenceKind || !reference) return;
  const expected = comparable(reference);
  const reports: string[] = [];
  for (const [kind, outcome] of others) {
    const found = differences(expected, comparable(outcome));
    if (found.length > 0) {
      reports.push(
        `${kind} differs from ${referenceKind}:\n${explain(found, referenceKind, kind)}`,
      );
    }
  }
  if (reports.length === 0) return;
  throw new AssertionError({ message: reports.join("\n\n"), stackStartFn: defaultCompare });
}

const PROTOCOL_ATTRIBUTES = new Set([
  "connectum.transport",
  "transport",
  "rpc.system",
  "rpc.system.name",
  "rpc.status_code",
  "error.type",
]);

function isProtocolAttribute(key: string): boolean {
  return PROTOCOL_ATTRIBUTES.has(key) || /^(server|network|client)\./.test(key);
}

function comparable({ result, thrown, calls, spans, metrics }: Outcome) {
  return {
    result,
    thrown,
    calls,
    spans: inOrder(spans.flatMap(flat)),
    metrics: metrics.map(comparableMetric),
  };
}

/** Spans without parents: in process a server span hangs under its client's, over HTTP it is a root. */
function flat({ children, ...span }: CollectedSpan): Omit<CollectedSpan, "children">[] {
  return [
    {
      ...span,
      attributes: common(span.attributes),
      events: byDirection(span.events).map((event) => ({
        ...event,
        attributes: common(event.attributes),
      })),
    },
    ...children.flatMap(flat),
  ];
}

/** Messages of one direction keep their order; which of the two directions comes first is luck. */
function byDirection(events: CollectedSpan["events"]): CollectedSpan["events"] {
  return [...events].sort((one, other) =>
    one.name < other.name ? -1 : one.name > other.name ? 1 : 0,
  );
}

function comparableMetric({ points, ...metric }: CollectedMetric) {
  return {
    ...metric,
    points: inOrder(points.map((point) => ({ ...point, attributes: common(point.attributes) }))),
  };
}

function common<T extends object>(attributes: T): Partial<T> {
  return Object.fromEntries(
    Object.entries(attributes).filter(([key]) => !isProtocolAttribute(key)),
  ) as Partial<T>;
}

function inOrder<T>(items: T[]): T[] {
  const key = (item: T) => JSON.stringify(item);
  return items.sort((one, other) => (key(one) < key(other) ? -1 : 1));
}
