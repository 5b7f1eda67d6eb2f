import { downloadLarge, growthMiB, uploadLarge } from "./large-streams.ts";
import { MeasuredServer } from "./measured-server.ts";

// One GiB through a client stream and a server stream; the memory of the server must not grow with it.
// Usage: npm run test:large [-- MiB]

const mebibytes = Number(process.argv[2] ?? 1_024);
const bytes = mebibytes * 1024 * 1024;
const ALLOWED_MIB = 64;
let isFlat = true;
for (const [name, transfer] of [
  ["client stream", uploadLarge],
  ["server stream", downloadLarge],
] as const) {
  const server = await MeasuredServer.start();
  const result = await transfer(server, bytes);
  await server.stop();
  console.log(name, `${result.bytes / 1024 / 1024} MiB`);
  console.table(result.memories);
  const growth = growthMiB(result, "rssMiB");
  console.log(`RSS grew by ${growth} MiB, heap by ${growthMiB(result, "heapMiB")} MiB`);
  if (result.bytes !== bytes || growth > ALLOWED_MIB) isFlat = false;
}
console.log(isFlat ? "ok" : "NOT OK");
process.exit(isFlat ? 0 : 1);
