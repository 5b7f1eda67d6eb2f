import assert from "node:assert/strict";
import { test } from "node:test";
import { holdIdle } from "./idle-connections.ts";

// 1 000 here; npm run test:connections holds 10 000.
test("1 000 idle connections are held, cost little, and disturb nobody", {
  timeout: 120_000,
}, async () => {
  const { connections, kibPerConnection, calls } = await holdIdle(1_000);
  assert.equal(connections, 1_000);
  assert.equal(calls, 100);
  assert.ok(kibPerConnection < 200, `${kibPerConnection} KiB each`);
});
