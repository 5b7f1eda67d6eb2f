import {
  type Attributes,
  context,
  type Span,
  SpanKind,
  SpanStatusCode,
  type TracerProvider,
  trace,
} from "@opentelemetry/api";
import { ConnectumError } from "../core/index.ts";
import {
  checkBoolean,
  checkEnum,
  checkFunction,
  checkKeys,
  checkObject,
  checkText,
  show,
} from "../core/internal.ts";
import { followMessages } from "./follow-messages.ts";
import { jsonOf } from "./get-logger.ts";
import { instrumentationScope } from "./instrumentation-scope.ts";
import { checkTracerProvider } from "./otel-options.ts";

export interface TracedOptions {
  /** Name of the span. Default: the function's. */
  readonly name?: string;
  /** Of every span. Default none. */
  readonly attributes?: Attributes;
  /** Default `SpanKind.INTERNAL`. */
  readonly kind?: SpanKind;
  /** Puts the arguments on the span as `function.args`. Default false: they may be secrets. */
  readonly recordArgs?: boolean;
  /** What of the arguments is recorded. Default: all of them. */
  readonly argsFilter?: (args: readonly unknown[]) => readonly unknown[];
  /** Default: the global provider. */
  readonly tracerProvider?: TracerProvider;
}

// biome-ignore lint/suspicious/noExplicitAny: a function of any type keeps it.
type AnyFunction = (...args: any[]) => any;

/**
 * The function within a span of its own. The span ends when the call does: at the return, when the
 * promise settles, or at the end of an async iterable; what is thrown is recorded and thrown on.
 */
export function traced<F extends AnyFunction>(fn: F, options: TracedOptions = {}): F {
  if (typeof fn !== "function") {
    throw new ConnectumError("INVALID_OPTION", `traced() takes a function, got ${show(fn)}`);
  }
  checkTracedOptions("traced()", options, ["name"]);
  const { name = fn.name || "anonymous", attributes, kind = SpanKind.INTERNAL } = options;
  const { recordArgs = false, argsFilter = (args) => args, tracerProvider } = options;
  const wrapper = function (this: unknown, ...args: unknown[]): unknown {
    const provider = tracerProvider ?? trace.getTracerProvider();
    const tracer = provider.getTracer(instrumentationScope.name, instrumentationScope.version);
    const span = tracer.startSpan(name, { kind, attributes });
    if (recordArgs && span.isRecording()) {
      span.setAttribute("function.args", argsFilter(args).map(jsonOf));
    }
    return runTraced(span, () => fn.apply(this, args));
  };
  Object.defineProperty(wrapper, "name", { value: fn.name });
  Object.defineProperty(wrapper, "length", { value: fn.length });
  return wrapper as F;
}

/** Throws INVALID_OPTION naming what is wrong; `moreKeys` are those the caller takes beside. */
export function checkTracedOptions(
  where: string,
  options: TracedOptions,
  moreKeys: readonly string[] = [],
): void {
  checkKeys(where, options, [...tracedKeys, ...moreKeys]);
  const { name, attributes, kind, recordArgs, argsFilter, tracerProvider } = options;
  if (name !== undefined) checkText(`${where} name`, name);
  if (attributes !== undefined) checkObject(`${where} attributes`, attributes);
  if (kind !== undefined) checkEnum(`${where} kind`, kind, "SpanKind", SpanKind);
  if (recordArgs !== undefined) checkBoolean(`${where} recordArgs`, recordArgs);
  if (argsFilter !== undefined) checkFunction(`${where} argsFilter`, argsFilter);
  checkTracerProvider(`${where} tracerProvider`, tracerProvider);
}

const tracedKeys = ["attributes", "kind", "recordArgs", "argsFilter", "tracerProvider"] as const;

function runTraced(span: Span, run: () => unknown): unknown {
  const own = trace.setSpan(context.active(), span);
  const fail = (thrown: unknown): never => {
    failSpan(span, thrown);
    throw thrown;
  };
  let result: unknown;
  try {
    result = context.with(own, run);
  } catch (thrown) {
    return fail(thrown);
  }
  if (isAsyncIterable(result)) {
    return followMessages(result, {
      context: own,
      onDone: () => span.end(),
      onReturn: () => span.end(),
      onThrown: (thrown) => failSpan(span, thrown),
    });
  }
  if (result instanceof Promise) {
    return result.then((value) => {
      span.end();
      return value;
    }, fail);
  }
  span.end();
  return result;
}

function failSpan(span: Span, thrown: unknown): void {
  const isError = thrown instanceof Error;
  const message = isError ? thrown.message : String(thrown);
  span.addEvent("exception", {
    "exception.type": isError ? thrown.name : typeof thrown,
    "exception.message": message,
    ...(isError && thrown.stack !== undefined && { "exception.stacktrace": thrown.stack }),
  });
  span.setStatus({ code: SpanStatusCode.ERROR, message });
  span.end();
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return (
    typeof (value as AsyncIterable<unknown> | undefined)?.[Symbol.asyncIterator] === "function"
  );
}
