import { ConnectumError } from "../errors.ts";

/** Which services a server mounts, by patterns of type names; `*` stands for any characters. */
export class EnabledServices {
  readonly #patterns:
    | ReadonlyArray<{ readonly text: string; readonly matcher: RegExp }>
    | undefined;
  readonly #matched = new Set<string>();
  readonly #offered = new Set<string>();

  /** `undefined` enables all. */
  constructor(patterns: readonly string[] | undefined) {
    this.#patterns = patterns?.map((text) => ({ text, matcher: toMatcher(text) }));
  }

  has(typeName: string): boolean {
    this.#offered.add(typeName);
    if (!this.#patterns) return true;
    const matching = this.#patterns.filter(({ matcher }) => matcher.test(typeName));
    for (const { text } of matching) this.#matched.add(text);
    return matching.length > 0;
  }

  /** Throws UNKNOWN_SERVICE for a pattern that matched nothing that was asked for. */
  checkAllMatched(): void {
    const lost = this.#patterns?.find(({ text }) => !this.#matched.has(text));
    if (!lost) return;
    throw new ConnectumError(
      "UNKNOWN_SERVICE",
      `enabledServices has "${lost.text}", which matches none of the services: ` +
        `${[...this.#offered].join(", ") || "there are none"}`,
    );
  }
}

function toMatcher(pattern: string): RegExp {
  const literal = pattern.split("*").map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"));
  return new RegExp(`^${literal.join(".*")}$`);
}
