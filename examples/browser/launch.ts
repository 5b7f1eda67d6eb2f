import { setTimeout as sleep } from "node:timers/promises";
import { Code, ConnectError, type ServiceImpl } from "@connectrpc/connect";
import type { LaunchService } from "./gen/launch/v1/launch_pb.js";

const announcements = new Map([
  [8, "Internal power"],
  [6, "Water on the pad"],
  [4, "Main engine start"],
  [1, "All systems go"],
  [0, "Lift-off"],
]);

export function createLaunch(secondMs = 1_000): ServiceImpl<typeof LaunchService> {
  let aborted = 0;
  return {
    prepare({ mission }) {
      if (mission === "") throw new ConnectError("a mission needs a name", Code.InvalidArgument);
      return { pad: "39A", aborted };
    },

    async *countDown({ seconds }, { signal }) {
      if (seconds > 60) throw new ConnectError("60 seconds at most", Code.OutOfRange);
      let remaining = seconds;
      try {
        for (; remaining > 0; remaining--) {
          yield { remaining, announcement: announcements.get(remaining) };
          await sleep(secondMs, undefined, { signal });
        }
        yield { remaining, announcement: announcements.get(remaining) };
      } finally {
        if (remaining > 0) aborted++;
      }
    },
  };
}
