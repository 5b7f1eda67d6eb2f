import { checkKeys } from "../core/internal.ts";
import { requirePeer } from "./optional-peer.ts";

/** What is used of `@sinonjs/fake-timers`, whose own types differ from version to version. */
interface FakeTimers {
  install(options: {
    readonly now: number | Date;
    readonly shouldClearNativeTimers: boolean;
    readonly toFake: readonly string[];
  }): {
    readonly now: number;
    countTimers(): number;
    tickAsync(ms: number): Promise<unknown>;
    uninstall(): void;
  };
}

export interface FakeClockOptions {
  /** The first moment, in milliseconds since 1970 or as a date. Default 0. */
  readonly now?: number | Date;
  /** The context of a test, such as node:test's: the clock is disposed when the test ends. */
  readonly t?: { after(dispose: () => void): unknown };
}

/** Time that moves only when it is told to. */
export interface FakeClock extends Disposable {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** How many timers wait. */
  readonly pendingTimers: number;
  /** Moves time on; timers fire in their order, promises settle in between. */
  advance(ms: number): Promise<void>;
  /** Gives back the real timers, `Date` and `performance`. */
  dispose(): void;
}

/**
 * Replaces timers, `Date` and `performance.now` of this process until disposed. Sockets, microtasks,
 * `setImmediate` and `process.nextTick` stay real, so servers and clients work under it. Needs the
 * package `@sinonjs/fake-timers`; throws `MISSING_PACKAGE` without it.
 */
export function createFakeClock(options: FakeClockOptions = {}): FakeClock {
  checkKeys("createFakeClock()", options, ["now", "t"]);
  const { now = 0, t } = options;
  const { install } = requirePeer<FakeTimers>("@sinonjs/fake-timers", "createFakeClock()");
  const clock = install({
    now,
    // Real timers that were set before may end while time is fake.
    shouldClearNativeTimers: true,
    toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "Date", "performance"],
  });
  let isDisposed = false;
  const dispose = () => {
    // A second time it would take the time of the clock after it.
    if (!isDisposed) clock.uninstall();
    isDisposed = true;
  };
  t?.after(dispose);
  return {
    get now() {
      return clock.now;
    },
    get pendingTimers() {
      return clock.countTimers();
    },
    async advance(ms) {
      await clock.tickAsync(ms);
    },
    dispose,
    [Symbol.dispose]: dispose,
  };
}
