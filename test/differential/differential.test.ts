import assert from "node:assert/strict";
import { test } from "node:test";
import { type Comparison, compare, describe } from "./compare.ts";
import { generateRequest } from "./generate-request.ts";
import { startOracle, startOurs } from "./peer.ts";
import { chooseSeed, Random } from "./random.ts";

const GENERATED = 2_000;
const AT_ONCE = 32;

test("answers generated requests as connect-node does", { timeout: 120_000 }, async (t) => {
  const [us, oracle] = [await startOurs(t), await startOracle(t)];
  const seed = chooseSeed();
  t.diagnostic(`CONNECTUM_SEED=${seed} repeats these requests`);
  const random = new Random(seed);
  const requests = Array.from({ length: GENERATED }, () => generateRequest(random));
  const failed: Comparison[] = [];
  const met = new Map<string, number>();
  const queue = requests.values();
  const work = async () => {
    for (const request of queue) {
      const comparison = await compare(request, us, oracle);
      if (comparison.unexplained.length > 0) failed.push(comparison);
      for (const reason of comparison.met) met.set(reason, (met.get(reason) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  for (const [reason, count] of met) t.diagnostic(`${count} times: ${reason}`);
  const shown = failed.slice(0, 5).map(describe).join("\n\n");
  assert.equal(
    failed.length,
    0,
    `with CONNECTUM_SEED=${seed}, ${failed.length} of ${GENERATED} answers differ:\n${shown}`,
  );
});
