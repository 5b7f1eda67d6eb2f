/** A random number generator with a seed, so that a run can be repeated (xorshift). */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0 || 1;
  }

  /** An integer from 0 up to, not including, `limit`. */
  below(limit: number): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return (this.#state >>> 0) % limit;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }
}

const interesting = [
  "\0",
  "\xff",
  "\x7f",
  "-1",
  "0",
  "4294967296",
  "1e999",
  "NaN",
  "%",
  "%00",
  "=",
  "&",
  ",",
  ";",
  ":",
  " ",
  "\t",
  "\r\n",
  "\r\n\r\n",
  '"',
  "\\",
  "\\ud800",
  "{",
  "}",
  "[",
  "[[[[[[[[",
  "null",
  "é",
  "\u2028",
  "H",
  "S",
  "gzip",
  "identity",
  "application/grpc",
  "__proto__",
  "\x80\0\0\0\x05",
];

const MAX_BYTES = 4_096;

/** One to four small changes of an input, sometimes with a piece of another. */
export function mutate(random: Random, input: Buffer, others: readonly Buffer[]): Buffer {
  let bytes: Buffer = Buffer.from(input);
  for (let change = random.below(4); change >= 0; change--) {
    const at = random.below(bytes.length + 1);
    switch (random.below(7)) {
      case 0:
        if (at < bytes.length) bytes[at] = (bytes[at] as number) ^ (1 << random.below(8));
        break;
      case 1:
        if (at < bytes.length) bytes[at] = random.below(256);
        break;
      case 2:
        bytes = cut(bytes, at, random.below(9));
        break;
      case 3:
        bytes = insert(bytes, at, Buffer.from(random.pick(interesting), "latin1"));
        break;
      case 4:
        bytes = insert(bytes, at, bytes.subarray(at, at + random.below(33)));
        break;
      case 5:
        bytes = bytes.subarray(0, at);
        break;
      default: {
        const other = random.pick(others);
        const from = random.below(other.length + 1);
        bytes = insert(bytes, at, other.subarray(from, from + random.below(65)));
      }
    }
  }
  return bytes.subarray(0, MAX_BYTES);
}

function insert(bytes: Buffer, at: number, piece: Uint8Array): Buffer {
  return Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(at)]);
}

function cut(bytes: Buffer, at: number, length: number): Buffer {
  return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]);
}
