import type { DescMethod } from "@bufbuild/protobuf";
import type { Code } from "@connectrpc/connect";
import type { Attributes, AttributeValue } from "@opentelemetry/api";
import {
  connectCodeName,
  grpcCodeName,
  isFault,
  attributeNames as names,
  type Semconv,
  type Side,
  type SystemName,
} from "./semconv.ts";

/** Everything attributes depend on that is the same for many calls. */
export interface CallForm {
  readonly method: DescMethod;
  readonly transport: "http" | "in-process";
  readonly systemName: SystemName;
  /** The configured target of a client. */
  readonly target: Target | undefined;
}

export interface Target {
  readonly address: string;
  readonly port: number | undefined;
}

export interface AttributeRules {
  readonly side: Side;
  readonly semconv: Semconv;
  readonly isAllowed: (key: string, value: AttributeValue) => boolean;
}

/** The attributes of all calls of one form, computed once. */
export class CallAttributes {
  /** Given when a span starts. */
  readonly span: Attributes;
  /** Of metrics that do not tell how the call ended. */
  readonly metric: Attributes;
  readonly #rules: AttributeRules;
  readonly #systemName: SystemName;
  readonly #spanEnds = new Map<Code | undefined, Attributes>();
  readonly #metricEnds = new Map<Code | undefined, Attributes>();

  constructor(rules: AttributeRules, { method, transport, systemName, target }: CallForm) {
    this.#rules = rules;
    this.#systemName = systemName;
    const { semconv } = rules;
    const fixed: Attributes = {};
    if (semconv !== "stable") {
      fixed[names.system] = "connect_rpc";
      fixed[names.service] = method.parent.typeName;
      fixed[names.method] = method.name;
    }
    if (semconv !== "connectum") {
      fixed[names.systemName] = systemName;
      fixed[names.method] = `${method.parent.typeName}/${method.name}`;
    }
    if (target) {
      fixed[names.serverAddress] = target.address;
      if (target.port !== undefined) fixed[names.serverPort] = target.port;
    }
    const span = { ...fixed };
    if (semconv !== "stable") span[names.transport] = transport;
    this.span = this.#filtered(span);
    this.metric = this.#filtered({ ...fixed, transport });
  }

  /** What the end of a call adds to its span. */
  spanEnd(code: Code | undefined): Attributes {
    let attributes = this.#spanEnds.get(code);
    if (!attributes) {
      attributes = this.#filtered(this.#outcome(code));
      this.#spanEnds.set(code, attributes);
    }
    return attributes;
  }

  /** The attributes of metrics that tell how the call ended. */
  metricEnd(code: Code | undefined): Attributes {
    let attributes = this.#metricEnds.get(code);
    if (!attributes) {
      attributes = { ...this.metric, ...this.#filtered(this.#outcome(code)) };
      this.#metricEnds.set(code, attributes);
    }
    return attributes;
  }

  #outcome(code: Code | undefined): Attributes {
    const { semconv, side } = this.#rules;
    const attributes: Attributes = {};
    if (semconv !== "stable" && code !== undefined) {
      attributes[names.connectStatusCode] = connectCodeName(code);
    }
    if (semconv === "connectum") return attributes;
    const status = this.#status(code);
    if (status !== undefined) attributes[names.statusCode] = status;
    if (code !== undefined && isFault(side, code)) attributes[names.errorType] = status;
    return attributes;
  }

  /** gRPC has a status for success, Connect has none. */
  #status(code: Code | undefined): string | undefined {
    if (this.#systemName === "connectrpc") {
      return code === undefined ? undefined : connectCodeName(code);
    }
    return code === undefined ? "OK" : grpcCodeName(code);
  }

  #filtered(attributes: Attributes): Attributes {
    return filterAttributes(attributes, this.#rules.isAllowed);
  }
}

/** The attributes the user lets pass. */
export function filterAttributes(
  attributes: Attributes,
  isAllowed: AttributeRules["isAllowed"],
): Attributes {
  const allowed: Attributes = {};
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined && isAllowed(key, value)) allowed[key] = value;
  }
  return allowed;
}
