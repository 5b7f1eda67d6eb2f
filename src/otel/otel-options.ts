import type { DescMethod } from "@bufbuild/protobuf";
import type {
  AttributeValue,
  MeterProvider,
  TextMapPropagator,
  TracerProvider,
} from "@opentelemetry/api";
import { ConnectumError } from "../core/index.ts";
import {
  checkBoolean,
  checkFunction,
  checkKeys,
  checkMethods,
  checkOneOf,
  show,
} from "../core/internal.ts";
import { semconvFromEnv } from "./provider/environment.ts";
import { type Semconv, semconvs } from "./semconv.ts";

/** What the server's and the client's interceptor have in common. */
export interface OtelCallOptions {
  /** Default: the global provider, looked up at each call, so that it may be registered later. */
  readonly tracerProvider?: TracerProvider;
  /** Default: the global provider, likewise. */
  readonly meterProvider?: MeterProvider;
  /** Reads and writes trace headers. Default: the global one. */
  readonly propagator?: TextMapPropagator;
  /** Times of spans and events, durations of metrics: milliseconds since the epoch. */
  readonly clock?: Clock;
  /** Default true. */
  readonly traces?: boolean;
  /** Default true. */
  readonly metrics?: boolean;
  /** Which methods are observed at all. Asked once per method. Default: all. */
  readonly filter?: (method: FilteredMethod) => boolean;
  /** Which attributes spans, events and metrics keep. Default: all. */
  readonly attributeFilter?: (key: string, value: AttributeValue) => boolean;
  /** Events `message.sent` and `message.received` on recording spans of streams. Default true. */
  readonly recordMessages?: boolean;
  /** Names of request headers to put on recording spans. Default none; values may be secrets. */
  readonly requestHeaders?: readonly string[];
  /** The same for response headers. */
  readonly responseHeaders?: readonly string[];
  /** Default: by `OTEL_SEMCONV_STABILITY_OPT_IN`, `connectum` if it does not speak of `rpc`. */
  readonly semconv?: Semconv;
}

export interface Clock {
  /** Milliseconds since the epoch, with fractions. */
  now(): number;
}

export interface FilteredMethod {
  /** Full name, such as `greeter.v1.GreeterService`. */
  readonly service: string;
  /** Such as `SayHello`. */
  readonly method: string;
  readonly kind: DescMethod["methodKind"];
}

export type ResolvedOtelOptions = Pick<
  OtelCallOptions,
  "tracerProvider" | "meterProvider" | "propagator" | "clock"
> &
  Required<Omit<OtelCallOptions, "tracerProvider" | "meterProvider" | "propagator" | "clock">>;

const knownKeys = [
  "tracerProvider",
  "meterProvider",
  "propagator",
  "clock",
  "traces",
  "metrics",
  "filter",
  "attributeFilter",
  "recordMessages",
  "requestHeaders",
  "responseHeaders",
  "semconv",
];

/** Fills in the defaults; throws INVALID_OPTION naming what is wrong. */
export function resolveOtelOptions(
  where: string,
  options: OtelCallOptions,
  moreKeys: readonly string[],
): ResolvedOtelOptions {
  checkKeys(where, options, [...knownKeys, ...moreKeys]);
  const {
    traces = true,
    metrics = true,
    filter = () => true,
    attributeFilter = () => true,
    recordMessages = true,
    semconv = semconvFromEnv(),
  } = options;
  checkBoolean("traces", traces);
  checkBoolean("metrics", metrics);
  checkBoolean("recordMessages", recordMessages);
  checkFunction("filter", filter);
  checkFunction("attributeFilter", attributeFilter);
  checkOneOf("semconv", semconv, semconvs);
  const { tracerProvider, meterProvider, propagator, clock } = options;
  checkTracerProvider("tracerProvider", tracerProvider);
  if (meterProvider !== undefined) {
    checkMethods("meterProvider", meterProvider, "a MeterProvider", ["getMeter"]);
  }
  if (propagator !== undefined) {
    checkMethods("propagator", propagator, "a TextMapPropagator", ["inject", "extract"]);
  }
  if (clock !== undefined) checkMethods("clock", clock, "a Clock", ["now"]);
  return {
    tracerProvider,
    meterProvider,
    propagator,
    clock,
    traces,
    metrics,
    filter,
    attributeFilter,
    recordMessages,
    requestHeaders: headerNames("requestHeaders", options.requestHeaders),
    responseHeaders: headerNames("responseHeaders", options.responseHeaders),
    semconv,
  };
}

/** Throws INVALID_OPTION for what cannot give tracers: undefined leaves it to the global provider. */
export function checkTracerProvider(name: string, value: TracerProvider | undefined): void {
  if (value !== undefined) checkMethods(name, value, "a TracerProvider", ["getTracer"]);
}

function headerNames(option: string, list: readonly string[] = []): string[] {
  const isList = Array.isArray(list) && list.every((name) => typeof name === "string");
  if (!isList) {
    throw new ConnectumError(
      "INVALID_OPTION",
      `${option} must be a list of header names, got ${show(list)}`,
    );
  }
  return list.map((name) => name.toLowerCase());
}
