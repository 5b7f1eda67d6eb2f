import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { createServer, defineService } from "connectum/core";
import { Healthcheck, ServingStatus } from "connectum/healthcheck";
import { createDefaultInterceptors } from "connectum/interceptors";
import { EchoService } from "../../gen/connectum/bench/v1/echo_pb.js";
import { answerQuestions } from "./host.ts";
import { SLOT_MS, SLOTS } from "./overload-capacity.ts";

// Argument: how the server is protected. Its handlers share something that serves so many at once,
// as a pool of database connections does.
const chains = {
  none: () => [],
  defaults: () => createDefaultInterceptors(),
  bounded: () => createDefaultInterceptors({ bulkhead: { maxConcurrent: SLOTS, maxQueue: SLOTS } }),
};
const waiting: Array<() => void> = [];
let free = SLOTS;
let entered = 0;

async function useSlot(): Promise<void> {
  if (free === 0) await new Promise<void>((resolve) => waiting.push(resolve));
  else free--;
  await sleep(SLOT_MS);
  const next = waiting.shift();
  if (next) next();
  else free++;
}

const health = Healthcheck();
const server = createServer({
  services: [
    defineService(EchoService, {
      async echo({ text }) {
        entered++;
        await useSlot();
        return { text };
      },
      // How many handlers have run.
      async *repeat() {
        yield { text: String(entered) };
      },
    }),
  ],
  protocols: [health],
  interceptors: chains[process.argv[2] as keyof typeof chains](),
  host: "127.0.0.1",
  port: 0,
});
await server.start();
health.manager.update(ServingStatus.SERVING);
answerQuestions((server.address as AddressInfo).port);
