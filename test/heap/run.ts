import { parseArgs } from "node:util";
import { streams, unaryCalls } from "./loads.ts";
import { MeasuredServer } from "./measured-server.ts";
import type { Sample } from "./server-process.ts";
import { readNothing, sendEndlessly } from "./slow-clients.ts";

// Memory under load that lasts: 1 million unary calls, 10 000 streams of 100 messages, and 30 s of each
// kind of client that is slower or faster than its server. Usage: npm run soak:heap [-- --scale 0.1]

const { values } = parseArgs({ options: { scale: { type: "string", default: "1" } } });
const scale = Number(values.scale);
const MEBIBYTE = 1024 * 1024;
/** Heap that may come and go without being a leak. */
const HEAP_NOISE = 1 * MEBIBYTE;
/** Memory of the process that may come and go: kernel and allocator round up. */
const RSS_NOISE = 24 * MEBIBYTE;
const WATCH_MS = 30_000 * scale;

await heapAfter("unary calls", unaryCalls, 10_000, 1_000_000);
await heapAfter("streams of 100 messages", streams, 500, 10_000);
await flatRss("slow reader, HTTP/1.1", ({ port }) => readNothing(port, 1));
await flatRss("slow reader, HTTP/2", ({ port }) => readNothing(port, 2));
await flatRss("fast sender and slow handler, HTTP/1.1", ({ port }) => sendEndlessly(port, 1));
await flatRss("fast sender and slow handler, HTTP/2", ({ port }) => sendEndlessly(port, 2));
await flatRss("both in process", (server) => server.callLocally());

async function heapAfter(
  what: string,
  load: (port: number, count: number) => Promise<void>,
  first: number,
  total: number,
): Promise<void> {
  const server = await MeasuredServer.start();
  try {
    await load(server.port, first * scale);
    const before = await server.sample();
    await load(server.port, (total - first) * scale);
    const after = await server.sample();
    report(`heap after ${total * scale} ${what}`, before.heap, after.heap, HEAP_NOISE);
  } finally {
    server.stop();
  }
}

async function flatRss(what: string, begin: (server: MeasuredServer) => unknown): Promise<void> {
  const server = await MeasuredServer.start();
  try {
    const end = await begin(server);
    const samples = await server.watch(WATCH_MS, 10);
    const rss = samples.map((sample: Sample) => sample.rss);
    report(
      `RSS over ${WATCH_MS / 1_000} s, ${what}`,
      rss[0] as number,
      Math.max(...rss),
      RSS_NOISE,
    );
    if (typeof end === "function") end();
  } finally {
    server.stop();
  }
}

function report(what: string, before: number, after: number, noise: number): void {
  const isFlat = after - before < noise;
  const [from, to] = [before, after].map((bytes) => (bytes / MEBIBYTE).toFixed(2));
  console.log(`${isFlat ? "ok  " : "GREW"} ${what}: ${from} MiB, then ${to} MiB`);
  if (!isFlat) process.exitCode = 1;
}
