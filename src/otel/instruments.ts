import {
  type Attributes,
  type Counter,
  createNoopMeter,
  type Histogram,
  type Meter,
  type MeterProvider,
  ValueType,
} from "@opentelemetry/api";
import { instrumentationScope } from "./instrumentation-scope.ts";
import { metricNames, type Side } from "./semconv.ts";

/** Bounds in seconds, as the RPC conventions advise. */
const DURATION_BUCKETS = [
  0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
];

/** Bounds in bytes: powers of four up to the message sizes servers accept by default. */
const SIZE_BUCKETS = [0, 64, 256, 1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304];

/** The instruments of one side on one meter. */
export interface Instruments {
  readonly duration: Histogram;
  readonly requestSize: Histogram;
  readonly responseSize: Histogram;
  readonly errors: Counter;
  /** Present on servers. */
  readonly active: ActiveRequests | undefined;
}

/** The instruments a provider gives; undefined when it is one that records nothing. */
export function createInstruments(provider: MeterProvider, side: Side): Instruments | undefined {
  const meter = provider.getMeter(instrumentationScope.name, instrumentationScope.version);
  if (meter === createNoopMeter()) return undefined;
  return {
    duration: meter.createHistogram(metricNames.duration(side), {
      description: `Duration of ${side} calls, streams to their end.`,
      unit: "s",
      advice: { explicitBucketBoundaries: DURATION_BUCKETS },
    }),
    requestSize: sizeHistogram(meter, metricNames.requestSize(side), "request"),
    responseSize: sizeHistogram(meter, metricNames.responseSize(side), "response"),
    errors: meter.createCounter(metricNames.errors(side), {
      description: `Number of ${side} calls that ended with an error code.`,
      unit: "{call}",
      valueType: ValueType.INT,
    }),
    active: side === "server" ? ActiveRequests.of(provider, meter) : undefined,
  };
}

function sizeHistogram(meter: Meter, name: string, direction: string): Histogram {
  return meter.createHistogram(name, {
    description: `Uncompressed size of each ${direction} message in its binary form.`,
    unit: "By",
    valueType: ValueType.INT,
    advice: { explicitBucketBoundaries: SIZE_BUCKETS },
  });
}

/** How many calls with the same attributes run at this moment. */
export interface ActiveCount {
  value: number;
}

/**
 * An up-down counter that is read instead of told: a call costs an increment, where `add()` would
 * hash its attributes twice. All servers on one provider share it, as they share the instrument.
 */
export class ActiveRequests {
  static readonly #perProvider = new WeakMap<MeterProvider, ActiveRequests>();
  readonly #counts = new Map<string, ActiveCount & { readonly attributes: Attributes }>();

  static of(provider: MeterProvider, meter: Meter): ActiveRequests {
    let active = ActiveRequests.#perProvider.get(provider);
    if (!active) {
      active = new ActiveRequests(meter);
      ActiveRequests.#perProvider.set(provider, active);
    }
    return active;
  }

  constructor(meter: Meter) {
    const instrument = meter.createObservableUpDownCounter(metricNames.activeRequests, {
      description: "Number of calls under way.",
      unit: "{call}",
      valueType: ValueType.INT,
    });
    instrument.addCallback((result) => {
      for (const { value, attributes } of this.#counts.values()) result.observe(value, attributes);
    });
  }

  count(attributes: Attributes): ActiveCount {
    const key = JSON.stringify(Object.entries(attributes).sort());
    let count = this.#counts.get(key);
    if (!count) {
      count = { value: 0, attributes };
      this.#counts.set(key, count);
    }
    return count;
  }
}
