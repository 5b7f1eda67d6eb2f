import { setTimeout as sleep } from "node:timers/promises";
import type { ServiceImpl } from "@connectrpc/connect";
import type { GreeterService } from "../../examples/greeter/gen/greeter/v1/greeter_pb.js";

/** A stream lasts about two seconds. */
export const streamMessages = 100;
const STREAM_SPACING_MS = 20;

/** How long a replica serves on after readiness went off: four health checks. */
export const drainDelayMs = 2_000;
/** Limit of a whole stop; the longest call needs far less. */
export const stopTimeoutMs = 12_000;

export const readyPath = "/readyz";
/** Answers the name of the replica, to see who is behind a balancer. */
export const namePath = "/replica";

/** Every answer begins with the name of the replica; stream messages end with their index. */
export function greeterOf(
  replica: string,
): Pick<ServiceImpl<typeof GreeterService>, "sayHello" | "sayHelloInLanguages"> {
  return {
    async sayHello({ name }) {
      await sleep(5 + Math.random() * 20);
      return { greeting: `${replica} ${name}` };
    },

    async *sayHelloInLanguages() {
      for (let index = 0; index < streamMessages; index++) {
        yield { greeting: `${replica} ${index}` };
        await sleep(STREAM_SPACING_MS);
      }
    },
  };
}
