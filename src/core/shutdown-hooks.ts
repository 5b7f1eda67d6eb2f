import { ConnectumError } from "./errors.ts";

/** Releases something when the server stops. */
export type ShutdownHook = () => void | Promise<void>;

interface HookGroup {
  readonly hooks: ShutdownHook[];
  readonly dependencies: Set<string>;
}

/** Shutdown hooks in order of their dependencies; what does not depend on another runs side by side. */
export class ShutdownHooks {
  readonly #groups = new Map<string, HookGroup>();
  #anonymous = 0;
  #isSealed = false;

  /** Throws HOOK_CYCLE when this registration closes a cycle, UNKNOWN_HOOK after {@link seal}. */
  add(name: string | undefined, dependencies: readonly string[], hook: ShutdownHook): void {
    const key = name ?? `anonymous hook ${++this.#anonymous}`;
    for (const dependency of dependencies) {
      const path = this.#path(dependency, key);
      if (path) {
        throw new ConnectumError(
          "HOOK_CYCLE",
          `shutdown hook "${key}" would wait for itself: ${[key, ...path].join(" -> ")}; remove one of these dependencies`,
        );
      }
      if (this.#isSealed) this.#checkKnown(key, dependency);
    }
    const group = this.#groups.get(key) ?? { hooks: [], dependencies: new Set() };
    group.hooks.push(hook);
    for (const dependency of dependencies) group.dependencies.add(dependency);
    this.#groups.set(key, group);
  }

  /** From here on every dependency must be known; throws UNKNOWN_HOOK when one is not. */
  seal(): void {
    for (const [name, { dependencies }] of this.#groups) {
      for (const dependency of dependencies) this.#checkKnown(name, dependency);
    }
    this.#isSealed = true;
  }

  /**
   * Runs every hook and returns what failed. When `expired` resolves, hooks that wait for a late one
   * are started all the same, and whatever does not end at once is reported as HOOK_TIMEOUT.
   */
  async run(expired: Promise<void>): Promise<unknown[]> {
    const errors: unknown[] = [];
    const pending = new Set<string>();
    const runs = new Map<string, Promise<unknown>>();
    const runGroup = (name: string): Promise<unknown> => {
      const known = runs.get(name);
      if (known) return known;
      const group = this.#groups.get(name);
      if (!group) return Promise.resolve();
      pending.add(name);
      const dependencies = Promise.all([...group.dependencies].map(runGroup));
      const run = Promise.race([dependencies, expired])
        .then(() => Promise.allSettled(group.hooks.map(async (hook) => hook())))
        .then((results) => {
          pending.delete(name);
          for (const result of results) {
            if (result.status === "rejected") errors.push(result.reason);
          }
        });
      runs.set(name, run);
      return run;
    };
    const all = Promise.all([...this.#groups.keys()].map(runGroup));
    await Promise.race([all, expired.then(() => new Promise((resolve) => setImmediate(resolve)))]);
    if (pending.size > 0) {
      const names = [...pending].map((name) => `"${name}"`).join(", ");
      errors.push(
        new ConnectumError(
          "HOOK_TIMEOUT",
          `shutdown hooks did not end within hookTimeoutMs: ${names}`,
        ),
      );
    }
    return errors;
  }

  #checkKnown(name: string, dependency: string): void {
    if (this.#groups.has(dependency)) return;
    const known = [...this.#groups.keys()].map((key) => `"${key}"`).join(", ");
    throw new ConnectumError(
      "UNKNOWN_HOOK",
      `shutdown hook "${name}" depends on "${dependency}", which is not registered; known hooks: ${known}`,
    );
  }

  /** The names from `from` to `to` along dependencies, or undefined. */
  #path(from: string, to: string): string[] | undefined {
    if (from === to) return [to];
    for (const dependency of this.#groups.get(from)?.dependencies ?? []) {
      const rest = this.#path(dependency, to);
      if (rest) return [from, ...rest];
    }
    return undefined;
  }
}
