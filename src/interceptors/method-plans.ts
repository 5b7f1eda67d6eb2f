import type { DescMethod } from "@bufbuild/protobuf";
import { checkMethodPatterns, matchesMethodPattern } from "../core/internal.ts";

/** What an interceptor has decided about each method, at its first call. */
export class MethodPlans<T> {
  readonly #plans = new Map<DescMethod, T | undefined>();
  readonly #skipMethods: readonly string[];
  readonly #create: (method: DescMethod) => T | undefined;

  /** `name` is that of the option in errors. */
  constructor(
    name: string,
    skipMethods: readonly string[],
    create: (method: DescMethod) => T | undefined,
  ) {
    checkMethodPatterns(name, skipMethods);
    this.#skipMethods = [...skipMethods];
    this.#create = create;
  }

  /** Undefined for a method to leave alone. */
  get(method: DescMethod): T | undefined {
    const plan = this.#plans.get(method);
    return plan === undefined && !this.#plans.has(method) ? this.#decide(method) : plan;
  }

  #decide(method: DescMethod): T | undefined {
    const isSkipped = this.#skipMethods.some((pattern) => matchesMethodPattern(pattern, method));
    const plan = isSkipped ? undefined : this.#create(method);
    this.#plans.set(method, plan);
    return plan;
  }
}
