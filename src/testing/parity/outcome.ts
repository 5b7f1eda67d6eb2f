import { ConnectError } from "@connectrpc/connect";
import type { CollectedMetric } from "../collectors/metric-collector.ts";
import type { CollectedSpan } from "../collectors/span-collector.ts";
import type { TestTransports } from "../test-server.ts";
import { plain } from "./plain.ts";

/** How a scenario reaches the server. */
export type TransportKind = keyof TestTransports;

/** One call of a scenario as its client saw it. */
export interface ObservedCall {
  readonly method: string;
  header?: Record<string, string>;
  trailer?: Record<string, string>;
  error?: ObservedError;
}

export interface ObservedError {
  readonly code: string;
  readonly message: string;
  readonly metadata: Record<string, string>;
  readonly details: readonly unknown[];
}

/** Everything that can be seen of a scenario over one transport, free of what differs by nature. */
export interface Outcome {
  /** What the scenario returned. */
  readonly result?: unknown;
  /** What the scenario threw. */
  readonly thrown?: unknown;
  readonly calls: readonly ObservedCall[];
  readonly spans: readonly CollectedSpan[];
  readonly metrics: readonly CollectedMetric[];
}

export function shownError(thrown: unknown): ObservedError {
  const error = ConnectError.from(thrown);
  return plain(error) as ObservedError;
}
