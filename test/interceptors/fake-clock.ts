import type { TestContext } from "node:test";
import FakeTimers from "@sinonjs/fake-timers";

/** Timers and clocks that move only when told to. Everything is as it was when the test ends. */
export function fakeClock(t: TestContext) {
  const clock = FakeTimers.install({
    // Connections of the test before may close only now.
    shouldClearNativeTimers: true,
    toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "Date", "performance"],
  });
  t.after(() => clock.uninstall());
  return clock;
}

/** Lets promises that are ready run. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
