export interface Survivor {
  /** A line of the source, without its indentation. */
  readonly line: string;
  /** What it reads as in mutants that no test tells from it; where a block was emptied, `{} …`. */
  readonly becomes: readonly string[];
  readonly why: string;
}

const fasterOnly =
  "the other way, for what comes in pieces, gives the same bytes; only copies more";
const followsNothing =
  "who follows calls passes a call on that it does not follow, so leaving it out is only faster";
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
        "export function wholeEnvelope(bytes: Buffer, readMaxBytes: number): Envelope | undefined {} …",
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
  "src/core/rpc/gates.ts": [
    {
      line: "return gates.length > 0 ? new Gates(method, gates) : undefined;",
      becomes: [
        "return true ? new Gates(method, gates) : undefined;",
        "return gates.length >= 0 ? new Gates(method, gates) : undefined;",
      ],
      why: "no gate lets everything pass, and so does a list of none; only slower",
    },
    {
      line: "if (entering) return this.#passFrom(index, entering, context, call);",
      becomes: ["if (true) return this.#passFrom(index, entering, context, call);"],
      why: "a gate that has let the call pass is awaited for nothing; only slower",
    },
  ],
  "src/core/rpc/method.ts": [
    {
      line: "this.#observe.length > 0",
      becomes: ["true", "false", "this.#observe.length >= 0", "this.#observe.length <= 0"],
      why: followsNothing,
    },
    {
      line: "? this.#chainOf(interceptors.filter((interceptor) => !observerFactory(interceptor)))",
      becomes: ["? this.#chainOf(interceptors)"],
      why: followsNothing,
    },
    {
      line: "if (this.#observe.length > 0) {",
      becomes: ["if (true) {", "if (this.#observe.length >= 0) {"],
      why: "nobody is asked then, and nobody follows; only slower",
    },
    {
      line: "if (observers.length > 0) call.observers = observers;",
      becomes: [
        "if (true) call.observers = observers;",
        "if (observers.length >= 0) call.observers = observers;",
      ],
      why: followsNothing,
    },
    {
      line: "return interceptors.length > 0 ? compose(interceptors, this.#invoke) : undefined;",
      becomes: [
        "return true ? compose(interceptors, this.#invoke) : undefined;",
        "return interceptors.length >= 0 ? compose(interceptors, this.#invoke) : undefined;",
      ],
      why: "a chain of none calls the handler, too, and wraps its answer for nothing; only slower",
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
  "src/core/lifetime.ts": [
    {
      line: 'const methods = runtime.methods("start()").values();',
      becomes: ['const methods = runtime.methods("").values();'],
      why: "says who froze the routes, which are frozen by then",
    },
  ],
  "src/interceptors/breaker.ts": [
    {
      line: "this.#bucketEnd = performance.now() + this.#bucketMs;",
      becomes: ["this.#bucketEnd = performance.now() - this.#bucketMs;"],
      why: "the first call turns a window that is still empty, and the buckets end where they would",
    },
    {
      line: "if (now < this.#bucketEnd) return;",
      becomes: ["if (false) return;"],
      why: "no bucket has passed then, and none is turned; only slower",
    },
    {
      line: 'for (let step = 0; step < BUCKETS; step++) this.#rotation.emit("rotate");',
      becomes: ['for (let step = 0; step <= BUCKETS; step++) this.#rotation.emit("rotate");'],
      why: "all buckets are empty before the last turn",
    },
    {
      line: "timeout: false,",
      becomes: ["timeout: true,"],
      why: "all that is fired has failed already",
    },
    {
      line: "rollingPercentilesEnabled: false,",
      becomes: ["rollingPercentilesEnabled: true,"],
      why: "opossum would keep latencies that nobody reads",
    },
    {
      line: 'else this.#circuit.emit("fire", []);',
      becomes: ['else this.#circuit.emit("fire", ["Stryker was here"]);'],
      why: "opossum counts the event and does not look at its arguments",
    },
    {
      line: 'const failure = new Error("the call failed");',
      becomes: ['const failure = new Error("");'],
      why: "goes into opossum and nowhere else; for who debugs",
    },
  ],
  "src/interceptors/circuit-breaker.ts": [
    {
      line: "if (call) {",
      becomes: ["if (false) {", "if (call) {} …"],
      why: "the signal of the call tells the same, but has to be made; only slower",
    },
    {
      line: 'signal.addEventListener("abort", () => fail(signal.reason), { once: true });',
      becomes: [
        'signal.addEventListener("abort", () => fail(signal.reason), {});',
        'signal.addEventListener("abort", () => fail(signal.reason), { once: false });',
      ],
      why: "a signal aborts once",
    },
  ],
  "src/auth/authz/authz-engine.ts": [
    { line: "if (!policy) {", becomes: ["if (true) {"], why: cacheOnly },
    { line: "this.#policies.set(method, policy);", becomes: [";"], why: cacheOnly },
  ],
};
