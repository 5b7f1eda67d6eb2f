/** The text of one JSON value, and where it stands in its source; both counted from 1. */
export interface JsonText {
  readonly text: string;
  readonly line: number;
  readonly column: number;
}

/**
 * Cuts text that arrives in pieces into JSON values written one after another, each as soon as it is
 * complete. It finds ends only; whether a piece is JSON is for the parser.
 */
export class JsonSplitter {
  #pending = "";
  /** How much of `#pending` was looked at. */
  #seen = 0;
  #depth = 0;
  #inString = false;
  #line = 1;
  #column = 1;

  *push(chunk: string): Generator<JsonText> {
    this.#pending += chunk;
    for (;;) {
      const end = this.#findEnd();
      if (end === undefined) return;
      yield this.#cut(end);
    }
  }

  /** What is left when the source has ended. */
  *end(): Generator<JsonText> {
    this.#skipSpace();
    if (this.#pending !== "") yield this.#cut(this.#pending.length);
  }

  #findEnd(): number | undefined {
    if (this.#seen === 0) this.#skipSpace();
    while (this.#seen < this.#pending.length) {
      const char = this.#pending[this.#seen] as string;
      if (this.#inString) {
        // An escape that is cut by the end of the chunk is looked at again.
        if (char === "\\" && this.#seen + 1 === this.#pending.length) return undefined;
        if (char === "\\") this.#seen++;
        if (char === '"') this.#inString = false;
        this.#seen++;
        if (!this.#inString && this.#depth === 0) return this.#seen;
        continue;
      }
      const endsScalar = this.#depth === 0 && this.#seen > 0 && /[\s{["]/.test(char);
      if (endsScalar) return this.#seen;
      this.#seen++;
      if (char === '"') this.#inString = true;
      else if (char === "{" || char === "[") this.#depth++;
      else if (char === "}" || char === "]") {
        this.#depth--;
        if (this.#depth <= 0) return this.#seen;
      }
    }
    return undefined;
  }

  #skipSpace(): void {
    const [space = ""] = /^\s*/.exec(this.#pending) ?? [];
    this.#advance(space.length);
  }

  #cut(length: number): JsonText {
    const line = this.#line;
    const column = this.#column;
    const text = this.#pending.slice(0, length);
    this.#advance(length);
    this.#seen = 0;
    this.#depth = 0;
    this.#inString = false;
    return { text, line, column };
  }

  #advance(length: number): void {
    const position = positionIn(this.#pending, length, this.#line, this.#column);
    this.#line = position.line;
    this.#column = position.column;
    this.#pending = this.#pending.slice(length);
  }
}

/** Line and column of an offset in a text that begins at the given ones. */
export function positionIn(text: string, offset: number, line = 1, column = 1) {
  const before = text.slice(0, offset);
  const lastBreak = before.lastIndexOf("\n");
  if (lastBreak === -1) return { line, column: column + before.length };
  return { line: line + before.split("\n").length - 1, column: before.length - lastBreak };
}
