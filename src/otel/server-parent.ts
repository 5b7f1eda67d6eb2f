import {
  type Context,
  context,
  type Link,
  ROOT_CONTEXT,
  type TextMapGetter,
  type TextMapPropagator,
  trace,
} from "@opentelemetry/api";

export type HeaderCarrier = Headers | Readonly<Record<string, string | string[] | undefined>>;

/** From what a server span descends, and to what it points. */
export interface ServerParent {
  readonly context: Context;
  readonly links: Link[] | undefined;
}

/**
 * A caller in this process is the parent. One on the network is, when it is trusted, otherwise the
 * span begins a trace of its own. Who is no parent by its headers is linked.
 */
export function serverParent(
  propagator: Pick<TextMapPropagator, "extract">,
  transport: "http" | "in-process",
  headers: HeaderCarrier,
  trustRemote: boolean,
): ServerParent {
  const active = context.active();
  const isStray = transport === "http" && trace.getSpan(active) !== undefined;
  const base = isStray ? trace.deleteSpan(active) : active;
  if (trustRemote) {
    return { context: propagator.extract(base, headers, headerGetter), links: undefined };
  }
  const remote = trace.getSpanContext(propagator.extract(ROOT_CONTEXT, headers, headerGetter));
  const isValid = remote !== undefined && trace.isSpanContextValid(remote);
  return { context: base, links: isValid ? [{ context: remote }] : undefined };
}

const headerGetter: TextMapGetter<HeaderCarrier> = {
  get(carrier, key) {
    if (carrier instanceof Headers) return carrier.get(key) ?? undefined;
    return carrier[key.toLowerCase()];
  },
  keys(carrier) {
    return carrier instanceof Headers ? [...carrier.keys()] : Object.keys(carrier);
  },
};
