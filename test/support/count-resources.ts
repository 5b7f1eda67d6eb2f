import { createHook } from "node:async_hooks";
import type { TestContext } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

export interface ResourceCounter {
  /** Open timers and HTTP/2 streams of this process, both sides of a connection included. */
  readonly open: { readonly timers: number; readonly streams: number };
  /** Resolves once no more are open than in `most`; rejects with the counts if that takes too long. */
  settled(most: ResourceCounter["open"]): Promise<void>;
}

const kinds: Readonly<Record<string, "timers" | "streams">> = {
  Timeout: "timers",
  HTTP2STREAM: "streams",
};

/** Counts what is made from here to the end of the test. */
export function countResources(t: TestContext): ResourceCounter {
  const made = new Map<number, "timers" | "streams">();
  const hook = createHook({
    init(id, type) {
      const kind = kinds[type];
      if (kind) made.set(id, kind);
    },
    destroy: (id) => void made.delete(id),
  }).enable();
  t.after(() => hook.disable());
  const count = (kind: "timers" | "streams") => [...made.values()].filter((k) => k === kind).length;
  const open = () => ({ timers: count("timers"), streams: count("streams") });
  return {
    get open() {
      return open();
    },
    async settled(most) {
      const patience = performance.now() + 10_000;
      for (let turns = 0; ; turns++) {
        const now = open();
        if (now.timers <= most.timers && now.streams <= most.streams) return;
        if (performance.now() > patience) {
          throw new Error(`still open: ${JSON.stringify(now)}, before: ${JSON.stringify(most)}`);
        }
        // Node tells of the end of some resources only when it collects them.
        if (turns % 50 === 49) collectGarbage();
        await turn();
      }
    },
  };
}
