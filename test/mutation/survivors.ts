export interface Survivor {
  /** A line of the source, without its indentation. */
  readonly line: string;
  /** What it reads as in mutants that no test tells from it; where a block was emptied, `{} …`. */
  readonly becomes: readonly string[];
  readonly why: string;
}

const fasterOnly =
  "the other way, for what comes in pieces, gives the same bytes; only copies more";
const cacheOnly = "what is kept is worked out again, with the same result; only slower";

/** Every mutant that lives on, by file. Whoever changes such a line looks at its reason again. */
export const knownSurvivors: Readonly<Record<string, readonly Survivor[]>> = {
  "src/core/wire/envelope.ts": [
    {
      line: "export const LARGE_MESSAGE_BYTES = 64 * 1024;",
      becomes: ["export const LARGE_MESSAGE_BYTES = 64 / 1024;"],
      why: "decides between one buffer and two, which are the same bytes on the wire",
    },
    {
      line: "if (end < first.byteLength) {",
      becomes: [
        "if (false) {",
        "if (end <= first.byteLength) {",
        "if (end < first.byteLength) {} …",
      ],
      why: fasterOnly,
    },
    {
      line: "this.#offset + ENVELOPE_BYTES <= first.byteLength",
      becomes: ["false", "this.#offset + ENVELOPE_BYTES < first.byteLength"],
      why: fasterOnly,
    },
    {
      line: "if (end === first.byteLength) {",
      becomes: ["if (false) {", "if (end === first.byteLength) {} …"],
      why: fasterOnly,
    },
    {
      line: "if (written === length) break;",
      becomes: ["if (false) break;"],
      why: "the next chunk then has nothing wanted of it, and ends the loop as well",
    },
    {
      line: "export function wholeEnvelope(bytes: Buffer, readMaxBytes: number): Envelope | undefined {",
      becomes: [
        "export function wholeEnvelope(bytes: Buffer, readMaxBytes: number): Envelope | undefined{} …",
      ],
      why: fasterOnly,
    },
    {
      line: "if (bytes.byteLength < ENVELOPE_BYTES) return undefined;",
      becomes: [
        "if (true) return undefined;",
        "if (bytes.byteLength <= ENVELOPE_BYTES) return undefined;",
      ],
      why: fasterOnly,
    },
    {
      line: "if (bytes.byteLength !== ENVELOPE_BYTES + length || length > readMaxBytes) return undefined;",
      becomes: [
        "if (true) return undefined;",
        "if (bytes.byteLength !== ENVELOPE_BYTES - length || length > readMaxBytes) return undefined;",
        "if (bytes.byteLength !== ENVELOPE_BYTES + length || length >= readMaxBytes) return undefined;",
      ],
      why: fasterOnly,
    },
  ],
  "src/interceptors/retry.ts": [
    {
      line: "return isOneRequest && policy.maxRetries > 0 && isIdempotent(method) ? true : undefined;",
      becomes: [
        "return isOneRequest && true && isIdempotent(method) ? true : undefined;",
        "return isOneRequest && policy.maxRetries >= 0 && isIdempotent(method) ? true : undefined;",
      ],
      why: "without retries a call then goes through the loop of attempts once; only slower",
    },
  ],
  "src/auth/authz/authz-engine.ts": [
    { line: "if (!policy) {", becomes: ["if (true) {"], why: cacheOnly },
    { line: "this.#policies.set(method, policy);", becomes: [";"], why: cacheOnly },
  ],
};
