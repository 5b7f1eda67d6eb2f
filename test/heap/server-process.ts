import { setTimeout as sleep } from "node:timers/promises";
import { createServer, defineService } from "connectum/core";
import { ScriptService } from "../gen/connectum/script/v1/script_pb.js";

// A server in a process of its own, so that its memory is its own. Answers "sample" with figures and
// "local" by starting calls to itself that are read slowly.

export interface Sample {
  /** Bytes after a forced collection. */
  readonly heap: number;
  readonly rss: number;
  /** Messages that endless streams have made, and that slow handlers have taken. */
  readonly made: number;
  readonly taken: number;
  /** Messages that a caller in this process has handed out to a slow handler. */
  readonly handedOut: number;
}

const payload = new Uint8Array(16 * 1024);
let made = 0;
let taken = 0;
let handedOut = 0;

const server = createServer({
  services: [
    defineService(ScriptService, {
      once: ({ content }) => ({ content }),
      async *download({ script }) {
        for (let left = script?.count ?? Number.POSITIVE_INFINITY; left > 0; left--) {
          if (script) {
            yield {};
          } else {
            made++;
            yield { content: { payload } };
          }
        }
      },
      async upload(requests) {
        for await (const _ of requests) {
          taken++;
          await sleep(50);
        }
        return {};
      },
    }),
  ],
  port: 0,
  host: "127.0.0.1",
  // Whoever reads slowly is not to be thrown out while its memory is measured.
  bodyIdleTimeoutMs: 120_000,
  writeIdleTimeoutMs: 120_000,
});
await server.start();
process.send?.({ port: (server.address as { port: number }).port });

process.on("message", (request) => {
  if (request === "local") callLocally();
  if (request === "sample") process.send?.({ sample: takeSample() });
});

function takeSample(): Sample {
  for (let count = 0; count < 4; count++) globalThis.gc?.();
  const { heapUsed: heap, rss } = process.memoryUsage();
  return { heap, rss, made, taken, handedOut };
}

function callLocally(): void {
  const client = server.localClient(ScriptService);
  void client.download({})[Symbol.asyncIterator]().next();
  void client.upload(endless());
}

async function* endless() {
  for (;;) {
    handedOut++;
    yield { content: { payload: new Uint8Array(16 * 1024) } };
  }
}
