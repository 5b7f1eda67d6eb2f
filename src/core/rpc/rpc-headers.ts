import { inspect } from "node:util";

/** Header fields as Node gives and takes them: lower-case names, `set-cookie` as a list. */
export type HeaderFields = Record<string, string | string[] | undefined>;

/**
 * `Headers` without its cost: a view on Node's own header object that is copied at the first change.
 * It passes for the global class (`instanceof Headers`, `new Headers(it)`) and follows the same rules
 * for names, values, joining and order (Fetch standard, section 2.2).
 */
export class RpcHeaders implements Headers {
  #fields: HeaderFields;
  #isShared = true;
  #onFirstChange: (() => void) | undefined;

  /** Reads from `fields` without copying, for as long as nothing is changed here. */
  constructor(fields?: HeaderFields, onFirstChange?: () => void) {
    this.#fields = fields ?? noFields;
    this.#onFirstChange = onFirstChange;
  }

  /** A copy of any `HeadersInit`. */
  static from(init: HeadersInit | undefined): RpcHeaders {
    if (init instanceof RpcHeaders) return init.#copy();
    const headers = new RpcHeaders();
    if (init === undefined) return headers;
    const entries = Symbol.iterator in init ? init : Object.entries(init);
    for (const [name, value] of entries as Iterable<[string, string]>) headers.append(name, value);
    return headers;
  }

  append(name: string, value: string): void {
    const key = checkName(name);
    const text = checkValue(key, value);
    const fields = this.#own();
    const present = fields[key];
    if (key === "set-cookie") fields[key] = [...listOf(present), text];
    else fields[key] = present === undefined ? text : `${joined(present)}, ${text}`;
  }

  set(name: string, value: string): void {
    const key = checkName(name);
    const text = checkValue(key, value);
    this.#own()[key] = key === "set-cookie" ? [text] : text;
  }

  /** Sets a field that is no sign of a handler having begun its answer. */
  setQuietly(name: string, value: string): void {
    const notify = this.#onFirstChange;
    this.#onFirstChange = undefined;
    this.set(name, value);
    this.#onFirstChange = notify;
  }

  delete(name: string): void {
    const key = checkName(name);
    if (this.#fields[key] !== undefined) delete this.#own()[key];
  }

  get(name: string): string | null {
    const value = this.#fields[checkName(name)];
    return value === undefined ? null : joined(value);
  }

  has(name: string): boolean {
    return this.#fields[checkName(name)] !== undefined;
  }

  getSetCookie(): string[] {
    return listOf(this.#fields["set-cookie"]);
  }

  forEach(
    callback: (value: string, key: string, parent: Headers) => void,
    thisArg?: unknown,
  ): void {
    for (const [name, value] of this) callback.call(thisArg, value, name, this);
  }

  *entries(): HeadersIterator<[string, string]> {
    const names = Object.keys(this.#fields).filter(isVisible).sort();
    for (const name of names) {
      const value = this.#fields[name];
      if (value === undefined) continue;
      if (name !== "set-cookie") yield [name, joined(value)];
      else for (const cookie of listOf(value)) yield [name, cookie];
    }
  }

  *keys(): HeadersIterator<string> {
    for (const [name] of this.entries()) yield name;
  }

  *values(): HeadersIterator<string> {
    for (const [, value] of this.entries()) yield value;
  }

  [Symbol.iterator](): HeadersIterator<[string, string]> {
    return this.entries();
  }

  /** Deletes every field whose name begins with `prefix`, which is lower-case. */
  deletePrefix(prefix: string): void {
    for (const name in this.#fields) {
      if (name.startsWith(prefix)) delete this.#own()[name];
    }
  }

  /** Adds every field to `target`, under `prefix` + name. Fields already there win. */
  addTo(target: HeaderFields, prefix = ""): void {
    for (const name in this.#fields) {
      if (!isVisible(name)) continue;
      const key = prefix + name;
      target[key] ??= trimmed(this.#fields[name]);
    }
  }

  [inspect.custom](): string {
    return `Headers ${inspect(Object.fromEntries(this))}`;
  }

  #copy(): RpcHeaders {
    const copy = new RpcHeaders();
    for (const name in this.#fields) {
      const value = this.#fields[name];
      if (value === undefined || !isVisible(name)) continue;
      copy.#own()[name] = typeof value === "string" ? value : [...value];
    }
    return copy;
  }

  #own(): HeaderFields {
    if (this.#isShared) {
      const fields = emptyFields();
      for (const name in this.#fields) if (isVisible(name)) fields[name] = this.#fields[name];
      this.#fields = fields;
      this.#isShared = false;
    }
    if (this.#onFirstChange) {
      const notify = this.#onFirstChange;
      this.#onFirstChange = undefined;
      notify();
    }
    return this.#fields;
  }
}

Object.setPrototypeOf(RpcHeaders.prototype, Headers.prototype);

/** Deletes the fields of any `Headers` whose name begins with `prefix`, which is lower-case. */
export function deleteHeadersWithPrefix(headers: Headers, prefix: string): void {
  if (headers instanceof RpcHeaders) {
    headers.deletePrefix(prefix);
    return;
  }
  for (const name of [...headers.keys()]) if (name.startsWith(prefix)) headers.delete(name);
}

const noFields: HeaderFields = Object.freeze(Object.create(null));

function emptyFields(): HeaderFields {
  return Object.create(null) as HeaderFields;
}

/** HTTP/2 pseudo headers travel in the same object and are no headers. */
function isVisible(name: string): boolean {
  return name.charCodeAt(0) !== 58;
}

function joined(value: string | string[]): string {
  return typeof value === "string" ? value : value.join(", ");
}

function listOf(value: string | string[] | undefined): string[] {
  if (value === undefined) return [];
  return typeof value === "string" ? [value] : [...value];
}

/** An empty value appended to another leaves a space at the end, and HTTP/2 clients drop such a field. */
function trimmed(value: string | string[] | undefined): string | string[] | undefined {
  return typeof value === "string" && value.endsWith(" ") ? value.trimEnd() : value;
}

const tokenPattern = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;
const forbiddenPattern = /[\0\r\n]|[^\0-\xff]/;

function checkName(name: string): string {
  const key = String(name).toLowerCase();
  if (!tokenPattern.test(key)) {
    throw new TypeError(`header name ${JSON.stringify(name)} is not a token of RFC 9110`);
  }
  return key;
}

function checkValue(name: string, value: string): string {
  const text = String(value).trim();
  if (forbiddenPattern.test(text)) {
    throw new TypeError(
      `value of header "${name}" has a character that HTTP cannot carry; encode it, or use a "-bin" header`,
    );
  }
  return text;
}
