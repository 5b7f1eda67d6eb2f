import type { JsonObject, JsonValue } from "@bufbuild/protobuf";

/** Where a text stops being JSON, and why. */
export class JsonSyntaxError extends Error {
  override readonly name = "JsonSyntaxError";
  /** Characters before the mistake. */
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORD = /[A-Za-z0-9_+.-]+/y;
const LITERALS = new Map<string, JsonValue>([
  ["true", true],
  ["false", false],
  ["null", null],
]);
const MAX_DEPTH = 200;

/**
 * Parses one JSON value. Unlike `JSON.parse` it says where a mistake is on every Node version, and
 * keeps integers that a double cannot hold: as strings, which protobuf's JSON takes for numbers.
 */
export function parseJson(text: string): JsonValue {
  const parser = new Parser(text);
  const value = parser.value(0);
  parser.end();
  return value;
}

class Parser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(depth: number): JsonValue {
    this.#skipSpace();
    if (depth > MAX_DEPTH) throw this.#error("values are nested too deeply");
    const char = this.#text[this.#at];
    if (char === "{") return this.#object(depth);
    if (char === "[") return this.#array(depth);
    if (char === '"') return this.#string();
    return this.#scalar();
  }

  end(): void {
    this.#skipSpace();
    if (this.#at < this.#text.length) throw this.#expected("the end");
  }

  #object(depth: number): JsonObject {
    const entries: [string, JsonValue][] = [];
    this.#at++;
    if (this.#take("}")) return {};
    for (;;) {
      this.#skipSpace();
      if (this.#text[this.#at] !== '"') throw this.#expected("a name in double quotes");
      const key = this.#string();
      if (!this.#take(":")) throw this.#expected('":"');
      entries.push([key, this.value(depth + 1)]);
      if (this.#take("}")) return Object.fromEntries(entries);
      if (!this.#take(",")) throw this.#expected('"," or "}"');
    }
  }

  #array(depth: number): JsonValue[] {
    const values: JsonValue[] = [];
    this.#at++;
    if (this.#take("]")) return values;
    for (;;) {
      values.push(this.value(depth + 1));
      if (this.#take("]")) return values;
      if (!this.#take(",")) throw this.#expected('"," or "]"');
    }
  }

  #string(): string {
    const start = this.#at;
    for (this.#at++; this.#text[this.#at] !== '"'; this.#at++) {
      const char = this.#text[this.#at];
      if (char === undefined) throw new JsonSyntaxError("this string has no end", start);
      if (char < " ") throw this.#error("a line break or control character inside a string");
      if (char === "\\") this.#escape();
    }
    this.#at++;
    return JSON.parse(this.#text.slice(start, this.#at));
  }

  #escape(): void {
    const rest = this.#text.slice(this.#at, this.#at + 6);
    const [sequence] = /^\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/.exec(rest) ?? [];
    if (sequence === undefined) throw this.#error("no such escape in a string");
    this.#at += sequence.length - 1;
  }

  #scalar(): JsonValue {
    WORD.lastIndex = this.#at;
    const [word = ""] = WORD.exec(this.#text) ?? [];
    NUMBER.lastIndex = 0;
    const [number] = NUMBER.exec(word) ?? [];
    const literal = LITERALS.get(word);
    if (literal === undefined && (word === "" || number !== word)) {
      throw this.#expected("a value");
    }
    this.#at += word.length;
    if (literal !== undefined) return literal;
    const isUnsafe = /^-?\d+$/.test(word) && !Number.isSafeInteger(Number(word));
    return isUnsafe ? word : Number(word);
  }

  #take(char: string): boolean {
    this.#skipSpace();
    if (this.#text[this.#at] !== char) return false;
    this.#at++;
    return true;
  }

  #skipSpace(): void {
    while (" \t\n\r".includes(this.#text[this.#at] ?? "x")) this.#at++;
  }

  #expected(what: string): JsonSyntaxError {
    WORD.lastIndex = this.#at;
    const [word] = WORD.exec(this.#text) ?? [];
    const found = word ?? this.#text[this.#at];
    const foundText = found === undefined ? "nothing more" : JSON.stringify(found.slice(0, 20));
    return this.#error(`expected ${what}, found ${foundText}`);
  }

  #error(message: string): JsonSyntaxError {
    return new JsonSyntaxError(message, this.#at);
  }
}
