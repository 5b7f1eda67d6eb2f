import type { TestContext } from "node:test";

/** `Date.now()` as the test says. The mock timers of node:test do it too, but on Node 18 otherwise. */
export function mockDate(t: TestContext, start: number): { set(time: number): void } {
  let now = start;
  t.mock.method(Date, "now", () => now);
  return {
    set(time) {
      now = time;
    },
  };
}
