import type { DescMethod, Message } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import {
  type Attributes,
  type Context,
  type Span,
  SpanStatusCode,
  type TimeInput,
  trace,
} from "@opentelemetry/api";
import type { CallObserver } from "../core/internal.ts";
import { type CallAttributes, filterAttributes } from "./call-attributes.ts";
import type { ActiveCount, Instruments } from "./instruments.ts";
import { messageSize } from "./message-size.ts";
import { isFault, attributeNames as names } from "./semconv.ts";
import type { Telemetry } from "./telemetry.ts";

/** The span and the measurements of one call, from its start to its end. */
export class CallRecord implements CallObserver {
  readonly telemetry: Telemetry;
  /** What runs within the call runs in this; undefined while nobody traces. */
  readonly context: Context | undefined;
  /** Undefined when the sampler has left the call out. */
  readonly #span: Span | undefined;
  readonly #method: DescMethod;
  readonly #attributes: CallAttributes;
  readonly #instruments: Instruments | undefined;
  readonly #active: ActiveCount | undefined;
  readonly #startMs: number;
  readonly #hasEvents: boolean;
  #sent = 0;
  #received = 0;
  #thrown: unknown;
  #isEnded = false;

  constructor(
    telemetry: Telemetry,
    method: DescMethod,
    attributes: CallAttributes,
    instruments: Instruments | undefined,
    startMs: number,
    context: Context | undefined,
  ) {
    this.telemetry = telemetry;
    this.context = context;
    this.#method = method;
    this.#attributes = attributes;
    this.#instruments = instruments;
    this.#startMs = startMs;
    const span = context && trace.getSpan(context);
    this.#span = span?.isRecording() ? span : undefined;
    const isStream = method.methodKind !== "unary";
    this.#hasEvents = isStream && telemetry.options.recordMessages && this.#span !== undefined;
    this.#active = instruments && telemetry.activeCount(instruments, attributes);
    if (this.#active) this.#active.value++;
  }

  get isRecording(): boolean {
    return this.#span !== undefined;
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  onReceived(message: Message, bytes?: number): void {
    if (this.#instruments || this.#hasEvents) {
      this.#onMessage("message.received", ++this.#received, message, bytes);
    }
  }

  onSent(message: Message, bytes?: number): void {
    if (this.#instruments || this.#hasEvents) {
      this.#onMessage("message.sent", ++this.#sent, message, bytes);
    }
  }

  /** Keeps what was thrown first: what is thrown on may hide it. */
  onThrown(thrown: unknown): void {
    this.#thrown ??= thrown;
  }

  onRequestHeader(header: Headers): void {
    this.#addHeaders(this.telemetry.options.requestHeaders, header, names.requestHeader);
  }

  onResponseHeader(header: Headers): void {
    this.#addHeaders(this.telemetry.options.responseHeaders, header, names.responseHeader);
  }

  onEnd(error: ConnectError | undefined): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    const endMs = this.telemetry.now();
    if (this.#active) this.#active.value--;
    const code = error?.code;
    if (this.#instruments) this.#measure(this.#instruments, endMs, code);
    if (this.#span) this.#endSpan(this.#span, endMs, error);
  }

  #measure({ duration, errors }: Instruments, endMs: number, code: Code | undefined): void {
    const attributes = this.#attributes.metricEnd(code);
    duration.record((endMs - this.#startMs) / 1000, attributes, this.context);
    if (code !== undefined) errors.add(1, attributes, this.context);
  }

  #endSpan(span: Span, endMs: number, error: ConnectError | undefined): void {
    const time = this.telemetry.timeOf(endMs);
    span.setAttributes(this.#attributes.spanEnd(error?.code));
    if (error) {
      // Nobody has failed when a caller leaves.
      if (error.code !== Code.Canceled) {
        this.#recordException(span, this.#thrown ?? error.cause ?? error, time);
      }
      if (isFault(this.telemetry.side, error.code)) {
        span.setStatus({ code: SpanStatusCode.ERROR, message: error.rawMessage });
      }
    }
    span.end(time);
  }

  /** `span.recordException()` would take the number of an RPC code for the type. */
  #recordException(span: Span, thrown: unknown, time: TimeInput | undefined): void {
    const isError = thrown instanceof Error;
    const attributes: Attributes = {
      [names.exceptionType]: isError ? thrown.name : typeof thrown,
      [names.exceptionMessage]: thrown instanceof ConnectError ? thrown.rawMessage : textOf(thrown),
    };
    if (isError && thrown.stack !== undefined) attributes[names.exceptionStacktrace] = thrown.stack;
    span.addEvent("exception", this.#filtered(attributes), time);
  }

  #onMessage(event: string, id: number, message: Message, bytes: number | undefined): void {
    const { side } = this.telemetry;
    const isRequest = (event === "message.received") === (side === "server");
    const { input, output } = this.#method;
    const size = bytes ?? messageSize(isRequest ? input : output, message);
    if (this.#instruments && size !== undefined) {
      const { requestSize, responseSize } = this.#instruments;
      const histogram = isRequest ? requestSize : responseSize;
      histogram.record(size, this.#attributes.metric, this.context);
    }
    if (!this.#hasEvents) return;
    const attributes: Attributes = { [names.messageId]: id };
    if (size !== undefined) attributes[names.messageSize] = size;
    const time = this.telemetry.options.clock && this.telemetry.timeOf(this.telemetry.now());
    this.#span?.addEvent(event, this.#filtered(attributes), time);
  }

  #addHeaders(list: readonly string[], header: Headers, nameOf: (name: string) => string): void {
    if (!this.#span) return;
    for (const name of list) {
      const value = header.get(name);
      if (value !== null) this.#span.setAttributes(this.#filtered({ [nameOf(name)]: [value] }));
    }
  }

  #filtered(attributes: Attributes): Attributes {
    return filterAttributes(attributes, this.telemetry.isAllowed);
  }
}

function textOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
