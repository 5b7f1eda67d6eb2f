import type { DescMethod } from "@bufbuild/protobuf";
import {
  type AttributeValue,
  type HrTime,
  metrics,
  ProxyTracerProvider,
  propagation,
  type TextMapPropagator,
  type Tracer,
  trace,
} from "@opentelemetry/api";
import { CallAttributes, type CallForm, type Target } from "./call-attributes.ts";
import { instrumentationScope } from "./instrumentation-scope.ts";
import { type ActiveCount, createInstruments, type Instruments } from "./instruments.ts";
import type { ResolvedOtelOptions } from "./otel-options.ts";
import type { Side, SystemName } from "./semconv.ts";

/** The attributes of one method's calls, by what they differ in. */
interface MethodForms {
  readonly plain: { [kind in SystemName | "in-process"]?: CallAttributes };
  readonly targets: Map<string, CallAttributes>;
}

/** What one interceptor knows between calls: its options, and where spans and metrics go by now. */
export class Telemetry {
  readonly side: Side;
  readonly options: ResolvedOtelOptions;
  readonly isAllowed: (key: string, value: AttributeValue) => boolean;
  readonly #forms = new Map<DescMethod, MethodForms | undefined>();
  readonly #activeCounts = new Map<CallAttributes, ActiveCount>();
  #tracerProvider: unknown;
  #tracer: Tracer | undefined;
  #meterProvider: unknown;
  #instruments: Instruments | undefined;

  constructor(side: Side, options: ResolvedOtelOptions) {
    this.side = side;
    this.options = options;
    this.isAllowed = options.attributeFilter;
  }

  get propagator(): Pick<TextMapPropagator, "inject" | "extract"> {
    return this.options.propagator ?? propagation;
  }

  /** Undefined as long as nobody has registered a provider. */
  get tracer(): Tracer | undefined {
    const { traces, tracerProvider } = this.options;
    if (!traces) return undefined;
    const provider = tracerProvider ?? trace.getTracerProvider();
    const isProxy = provider instanceof ProxyTracerProvider;
    // The global proxy stays the same when an SDK is registered behind it.
    const real = isProxy ? provider.getDelegate() : provider;
    if (real !== this.#tracerProvider) {
      this.#tracerProvider = real;
      const { name, version } = instrumentationScope;
      this.#tracer = isProxy
        ? provider.getDelegateTracer(name, version)
        : provider.getTracer(name, version);
    }
    return this.#tracer;
  }

  /** Undefined as long as nobody has registered a provider. */
  get instruments(): Instruments | undefined {
    if (!this.options.metrics) return undefined;
    const provider = this.options.meterProvider ?? metrics.getMeterProvider();
    if (provider !== this.#meterProvider) {
      this.#meterProvider = provider;
      this.#instruments = createInstruments(provider, this.side);
      this.#activeCounts.clear();
    }
    return this.#instruments;
  }

  /** The attributes of a form of call; undefined for a method the filter leaves out. */
  attributesOf(form: CallForm): CallAttributes | undefined {
    const { method, transport, systemName, target } = form;
    let forms = this.#forms.get(method);
    if (!forms && !this.#forms.has(method)) {
      forms = this.#isObserved(method) ? { plain: {}, targets: new Map() } : undefined;
      this.#forms.set(method, forms);
    }
    if (!forms) return undefined;
    if (target) return this.#attributesOfTarget(forms, form, target);
    const kind = transport === "in-process" ? transport : systemName;
    forms.plain[kind] ??= this.#createAttributes(form);
    return forms.plain[kind];
  }

  #attributesOfTarget({ targets }: MethodForms, form: CallForm, target: Target): CallAttributes {
    const key = `${form.systemName} ${target.address} ${target.port}`;
    let attributes = targets.get(key);
    if (!attributes) {
      attributes = this.#createAttributes(form);
      targets.set(key, attributes);
    }
    return attributes;
  }

  #createAttributes(form: CallForm): CallAttributes {
    const { semconv } = this.options;
    return new CallAttributes({ side: this.side, semconv, isAllowed: this.isAllowed }, form);
  }

  /** Where calls of this form are counted while they run. */
  activeCount({ active }: Instruments, attributes: CallAttributes): ActiveCount | undefined {
    if (!active) return undefined;
    let count = this.#activeCounts.get(attributes);
    if (!count) {
      count = active.count(attributes.metric);
      this.#activeCounts.set(attributes, count);
    }
    return count;
  }

  now(): number {
    return this.options.clock ? this.options.clock.now() : performance.now();
  }

  /** A moment for a span; undefined leaves it to the SDK's own clock. */
  timeOf(ms: number): HrTime | undefined {
    if (!this.options.clock) return undefined;
    const seconds = Math.floor(ms / 1000);
    return [seconds, Math.round((ms - seconds * 1000) * 1e6)];
  }

  #isObserved(method: DescMethod): boolean {
    const { filter } = this.options;
    return filter({
      service: method.parent.typeName,
      method: method.name,
      kind: method.methodKind,
    });
  }
}
