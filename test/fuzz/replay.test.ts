import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Arena } from "./arena.ts";
import { readCorpus } from "./corpus.ts";
import { targets } from "./targets.ts";

describe("every input of the fuzz corpus is answered", () => {
  const arena = new Arena();
  before(() => arena.start());
  after(() => arena.stop());

  for (const [name, target] of Object.entries(targets)) {
    test(name, async () => {
      const corpus = readCorpus(name);
      assert.ok(corpus.length > 0);
      for (const input of corpus) {
        await target.run(arena, input);
        assert.deepEqual(arena.accidents, [], JSON.stringify(input.toString("latin1")));
      }
    });
  }
});
