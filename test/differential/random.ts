/** A small seeded generator (mulberry32): the same seed gives the same requests everywhere. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  /** 0 to 1, without 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** `from` to `to`, both included. */
  integer(from: number, to: number): number {
    return from + Math.floor(this.next() * (to - from + 1));
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<const T>(items: readonly T[]): T {
    return items[this.integer(0, items.length - 1)] as T;
  }

  list<T>(from: number, to: number, item: () => T): T[] {
    return Array.from({ length: this.integer(from, to) }, item);
  }

  bytes(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => this.integer(0, 255)));
  }

  /** Text with whatever is likely to be encoded wrongly. */
  text(): string {
    return this.list(0, 6, () => this.pick(pieces)).join("");
  }
}

const pieces = [
  ..."aZ09 %+/=&?#:;,\"'\\<>[]{}()!*~`^|$@._-",
  "%41",
  "ü",
  "日本",
  "🎉",
  "\n",
  "\r\n",
  "\t",
  "\0",
  "\x1f",
  "\x7f",
  "\u2028",
  "hello",
];

/** Another one each time, unless `CONNECTUM_SEED` repeats a run that failed. */
export function chooseSeed(): number {
  return Number(process.env.CONNECTUM_SEED ?? Math.floor(Math.random() * 2 ** 31));
}
