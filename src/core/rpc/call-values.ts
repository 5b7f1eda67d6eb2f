import type { ContextKey, ContextValues } from "@connectrpc/connect";
import { callerValuesKey, peerKey, requestIdKey, transportKey } from "../context-keys.ts";
import type { Call } from "./call.ts";

/** Context values of one call. What the server knows of it is answered without being stored. */
export class CallValues implements ContextValues {
  readonly #call: Call;
  #values: Map<symbol, unknown> | undefined;

  constructor(call: Call) {
    this.#call = call;
  }

  get<T>(key: ContextKey<T>): T {
    if (this.#values?.has(key.id)) return this.#values.get(key.id) as T;
    if (key.id === transportKey.id) return this.#call.source.transport as T;
    if (key.id === peerKey.id) return this.#call.source.peer as T;
    if (key.id === requestIdKey.id) return this.#call.requestId as T;
    if (key.id === callerValuesKey.id) return this.#call.source.callerValues as T;
    return key.defaultValue;
  }

  set<T>(key: ContextKey<T>, value: T): this {
    this.#values ??= new Map();
    this.#values.set(key.id, value);
    return this;
  }

  delete(key: ContextKey<unknown>): this {
    this.set(key, key.defaultValue);
    return this;
  }
}
