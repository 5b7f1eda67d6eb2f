import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { describe, type TestContext, test } from "node:test";
import { Code } from "@connectrpc/connect";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import { main as placeOrder } from "../../examples/monolith/client.ts";
import { buildServer } from "../../examples/monolith/server.ts";

interface Shop {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly baseUrl: string;
}

/** Starts a process of the shop with these variables and no others of its own. */
async function startShop(t: TestContext, env: Record<string, string>): Promise<Shop> {
  const child = spawn(process.execPath, ["--import", "tsx", "examples/monolith/server.ts"], {
    env: { PATH: process.env.PATH, PORT: "0", LISTEN: "127.0.0.1", ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.after(() => child.kill("SIGKILL"));
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  const [, port] = /port (\d+)/.exec(line.toString()) ?? [];
  return { child, pid: child.pid ?? 0, baseUrl: `http://127.0.0.1:${port}` };
}

/** Orders, and tells which processes took part; then each of them stops when it is asked to. */
async function order(t: TestContext, { baseUrl }: Shop, shops: readonly Shop[]) {
  const sessionManager = new Http2SessionManager(baseUrl);
  t.after(() => sessionManager.abort());
  const transport = createGrpcTransport({ baseUrl, sessionManager });
  const { totalCents, pids } = await placeOrder(transport);
  assert.equal(totalCents, 7800);
  // One is left of the three; the error comes from the inventory, wherever that is.
  await assert.rejects(placeOrder(transport), {
    code: Code.ResourceExhausted,
    rawMessage: "not enough teapot in stock",
  });
  for (const { child } of shops) {
    const exited = once(child, "exit");
    child.kill("SIGTERM");
    assert.deepEqual(await exited, [0, null]);
  }
  return pids;
}

describe("the monolith example", { timeout: 60_000 }, () => {
  test("runs as one process", async (t) => {
    const shop = await startShop(t, {});
    assert.deepEqual(await order(t, shop, [shop]), [shop.pid, shop.pid, shop.pid]);
  });

  test("runs as two processes", async (t) => {
    const back = await startShop(t, { SERVICES: "shop.inventory.*,shop.pricing.*" });
    const front = await startShop(t, {
      SERVICES: "shop.orders.*",
      INVENTORY_URL: back.baseUrl,
      PRICING_URL: back.baseUrl,
    });
    assert.deepEqual(await order(t, front, [front, back]), [front.pid, back.pid, back.pid]);
  });

  test("runs half-migrated", async (t) => {
    const prices = await startShop(t, { SERVICES: "shop.pricing.*" });
    const front = await startShop(t, {
      SERVICES: "shop.orders.*,shop.inventory.*",
      PRICING_URL: prices.baseUrl,
    });
    assert.deepEqual(await order(t, front, [front, prices]), [front.pid, front.pid, prices.pid]);
  });

  test("a process that cannot serve an order does not start", () => {
    assert.throws(() => buildServer({ SERVICES: "shop.orders.*" }), {
      code: Code.Unavailable,
      rawMessage: "no transport to shop.inventory.v1.InventoryService",
    });
  });
});
