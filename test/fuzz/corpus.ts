import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { targets } from "./targets.ts";

const directory = "test/fuzz/corpus";

/** The inputs kept for a target, its seeds first. */
export function readCorpus(name: string): Buffer[] {
  const seeds = targets[name]?.seeds.map((seed) => Buffer.from(seed as string, "latin1")) ?? [];
  const folder = join(directory, name);
  mkdirSync(folder, { recursive: true });
  const files = readdirSync(folder).sort();
  return [...seeds, ...files.map((file) => readFileSync(join(folder, file)))];
}

/** Keeps an input, under a name made of its bytes. */
export function keep(name: string, input: Buffer): void {
  const hash = createHash("sha256").update(input).digest("hex").slice(0, 16);
  writeFileSync(join(directory, name, hash), input);
}
