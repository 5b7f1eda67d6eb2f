import { EventEmitter } from "node:events";
import OpossumBreaker from "opossum";

export type CircuitState = "closed" | "open" | "halfOpen";

export interface BreakerOptions {
  readonly errorThresholdPercentage: number;
  readonly volumeThreshold: number;
  readonly rollingWindowMs: number;
  readonly openMs: number;
  readonly onStateChange: (state: CircuitState) => void;
}

/** How a call came out. Undecided says nothing about the method, as when the client has left. */
export type Outcome = "success" | "failure" | "undecided";

const BUCKETS = 10;

/**
 * One opossum circuit. While it is closed calls do not go through opossum's `fire`: a success only
 * counts, a failure is fired when it has happened. Its window turns when it is used, so that an idle
 * breaker has no timer.
 */
export class Breaker {
  readonly #circuit: OpossumBreaker<[Promise<void>], void>;
  readonly #rotation = new EventEmitter();
  readonly #bucketMs: number;
  readonly #openMs: number;
  #bucketEnd: number;
  #opensAgainAt = 0;
  #isProbing = false;

  constructor(options: BreakerOptions) {
    const { rollingWindowMs, openMs, onStateChange } = options;
    this.#bucketMs = rollingWindowMs / BUCKETS;
    this.#bucketEnd = performance.now() + this.#bucketMs;
    this.#openMs = openMs;
    this.#circuit = new OpossumBreaker((outcome: Promise<void>) => outcome, {
      timeout: false,
      // opossum opens above its threshold, ours is the percentage that opens.
      errorThresholdPercentage: options.errorThresholdPercentage - 1e-9,
      volumeThreshold: options.volumeThreshold,
      rollingCountTimeout: rollingWindowMs,
      rollingCountBuckets: BUCKETS,
      resetTimeout: openMs,
      rollingPercentilesEnabled: false,
      enableSnapshots: false,
      rotateBucketController: this.#rotation,
    });
    this.#circuit.on("open", () => {
      this.#opensAgainAt = performance.now() + this.#openMs;
      onStateChange("open");
    });
    this.#circuit.on("halfOpen", () => onStateChange("halfOpen"));
    this.#circuit.on("close", () => {
      this.#forget();
      onStateChange("closed");
    });
  }

  get state(): CircuitState {
    if (this.#circuit.closed) return "closed";
    return this.#circuit.halfOpen ? "halfOpen" : "open";
  }

  /** Milliseconds until the next call is let through. */
  get retryDelayMs(): number {
    return this.#circuit.opened ? Math.max(0, this.#opensAgainAt - performance.now()) : 0;
  }

  get isClosed(): boolean {
    return this.#circuit.closed;
  }

  /** Counts a call that was let through while the circuit was closed. */
  count(outcome: Outcome): void {
    // What was on its way when the circuit opened says nothing new.
    if (!this.#circuit.closed) return;
    this.#rotate();
    if (outcome === "failure") this.#circuit.fire(Promise.reject(failure)).catch(ignore);
    else this.#circuit.emit("fire", []);
  }

  /**
   * Lets one call at a time through a half-open circuit, and returns what takes its outcome; undefined
   * for any other. After one that decided nothing the next call may try.
   */
  probe(): ((outcome: Outcome) => void) | undefined {
    if (!this.#circuit.halfOpen || this.#isProbing) return undefined;
    this.#isProbing = true;
    return (outcome) => {
      this.#isProbing = false;
      if (outcome === "success") this.#circuit.close();
      if (outcome === "failure") this.#circuit.open();
    };
  }

  #rotate(): void {
    const now = performance.now();
    if (now < this.#bucketEnd) return;
    const passed = 1 + Math.floor((now - this.#bucketEnd) / this.#bucketMs);
    for (let step = 0; step < Math.min(passed, BUCKETS); step++) this.#rotation.emit("rotate");
    this.#bucketEnd += passed * this.#bucketMs;
  }

  #forget(): void {
    for (let step = 0; step < BUCKETS; step++) this.#rotation.emit("rotate");
  }
}

const failure = new Error("the call failed");

function ignore(): void {}
