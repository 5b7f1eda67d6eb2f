import { type ContextKey, type ContextValues, createContextValues } from "@connectrpc/connect";
import { transportKey } from "../context-keys.ts";

/** Where an outgoing call goes. */
export interface OutgoingTarget {
  readonly baseUrl: string;
  readonly transport: "http" | "in-process";
}

/** Context values of an outgoing call: those the caller gave, and where the call goes. */
export class OutgoingValues implements ContextValues {
  readonly given: ContextValues;
  readonly #transport: OutgoingTarget["transport"];

  constructor(given: ContextValues | undefined, transport: OutgoingTarget["transport"]) {
    this.given = given ?? createContextValues();
    this.#transport = transport;
  }

  get<T>(key: ContextKey<T>): T {
    return key.id === transportKey.id ? (this.#transport as T) : this.given.get(key);
  }

  set<T>(key: ContextKey<T>, value: T): this {
    this.given.set(key, value);
    return this;
  }

  delete(key: ContextKey<unknown>): this {
    this.given.delete(key);
    return this;
  }
}
