import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { createClient } from "@connectrpc/connect";
import { Reflection } from "connectum/reflection";
import { createTestServer } from "connectum/testing";
import { createTransport } from "../support/transports.ts";
import { versions } from "./conversation.ts";

const question = { messageRequest: { case: "listServices", value: "" } } as const;

async function reflect(t: TestContext) {
  const { server, baseUrl } = await createTestServer({
    t,
    protocols: [Reflection()],
    shutdown: { timeout: 20_000 },
  });
  return { server, client: createClient(versions.v1, createTransport("gRPC h2", baseUrl)) };
}

describe("a stop", () => {
  test("ends a reflection stream that asks nothing for a second", {
    timeout: 15_000,
  }, async (t) => {
    const { server, client } = await reflect(t);
    const closed = new AbortController();
    async function* requests() {
      yield question;
      await sleep(30_000, undefined, { signal: closed.signal }).catch(() => {});
    }
    const responses = client.serverReflectionInfo(requests())[Symbol.asyncIterator]();
    assert.equal((await responses.next()).done, false);
    const startedAt = performance.now();
    const stopped = server.stop();
    assert.equal((await responses.next()).done, true);
    const tookMs = performance.now() - startedAt;
    assert.ok(tookMs > 900 && tookMs < 5_000, `took ${tookMs} ms`);
    closed.abort();
    await stopped;
  });

  test("lets a reflection stream ask on", async (t) => {
    const { server, client } = await reflect(t);
    let stopped: Promise<void> | undefined;
    async function* requests() {
      for (let index = 0; index < 6; index++) {
        yield question;
        await sleep(400);
      }
    }
    let count = 0;
    for await (const response of client.serverReflectionInfo(requests())) {
      assert.equal(response.messageResponse.case, "listServicesResponse");
      if (++count === 1) stopped = server.stop();
    }
    assert.equal(count, 6);
    await stopped;
  });
});
