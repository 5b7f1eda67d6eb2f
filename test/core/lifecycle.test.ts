import assert from "node:assert/strict";
import { test } from "node:test";
import { createServer, LifecycleEvent, ServerState } from "connectum/core";

test("LifecycleEvent and ServerState name what a server passes, in its order", async () => {
  const server = createServer({ services: [], port: 0, host: "127.0.0.1" });
  const events: string[] = [];
  const states: string[] = [server.state];
  for (const event of Object.values(LifecycleEvent)) {
    server.on(event, () => {
      events.push(event);
      if (states.at(-1) !== server.state) states.push(server.state);
    });
  }
  await server.start();
  await server.stop();
  const { ERROR, ...passed } = LifecycleEvent;
  assert.equal(ERROR, "error");
  assert.deepEqual(events, Object.values(passed));
  assert.deepEqual(states, Object.values(ServerState));
});
