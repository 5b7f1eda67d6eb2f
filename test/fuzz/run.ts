import { Arena } from "./arena.ts";
import { keep, readCorpus } from "./corpus.ts";
import { mutate, Random } from "./mutate.ts";
import { targets } from "./targets.ts";

// Ten minutes of changed inputs over all decoders: no crash, no hang, no unhandled rejection, and no
// error inside a decoder. Inputs that make the server answer in a new way are kept in the corpus, and
// so is an input that fails. Usage: npm run fuzz [-- seconds [seed [decoder ...]]]

const seconds = Number(process.argv[2] ?? 600);
const seed = Number(process.argv[3] ?? Date.now() % 2 ** 31);
console.log(`seed ${seed}, ${seconds} s; again with: npm run fuzz -- ${seconds} ${seed}`);

const random = new Random(seed);
const chosen = process.argv.slice(4);
const names = Object.keys(targets).filter((name) => chosen.length === 0 || chosen.includes(name));
const rows: Record<string, { inputs: number; ways: number; kept: number; failed: number }> = {};
for (const name of names) {
  rows[name] = await fuzz(name, (seconds * 1_000) / names.length);
  console.log(name, JSON.stringify(rows[name]));
}
console.table(rows);
const failed = Object.values(rows).reduce((sum, row) => sum + row.failed, 0);
console.log(failed === 0 ? "ok" : `NOT OK: ${failed} inputs failed; they are in test/fuzz/corpus`);
process.exit(failed === 0 ? 0 : 1);

async function fuzz(name: string, ms: number) {
  const target = targets[name] as (typeof targets)[string];
  const arena = new Arena();
  await arena.start();
  const corpus = readCorpus(name);
  const ways = new Set<string>();
  const row = { inputs: 0, ways: 0, kept: 0, failed: 0 };
  const fail = (input: Buffer, error: unknown) => {
    row.failed++;
    console.error(name, JSON.stringify(input.toString("latin1")), error);
  };
  for (const input of corpus) {
    const way = await target.run(arena, input).catch((error) => fail(input, error));
    if (way !== undefined) ways.add(way);
  }
  const end = performance.now() + ms;
  while (performance.now() < end) {
    const input = mutate(random, random.pick(corpus), corpus);
    row.inputs++;
    try {
      const way = await target.run(arena, input);
      const accident = arena.accidents.pop();
      if (accident !== undefined) throw accident;
      if (ways.has(way)) continue;
      ways.add(way);
      row.kept++;
    } catch (error) {
      fail(input, error);
    }
    corpus.push(input);
    keep(name, input);
  }
  row.ways = ways.size;
  await arena.stop();
  return row;
}
