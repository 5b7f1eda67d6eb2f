import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { after, before, describe, type TestContext, test } from "node:test";
import type { BrowserContext, Page } from "playwright-core";
import { main as startPages } from "../../examples/browser/pages.ts";
import { main as startServer } from "../../examples/browser/server.ts";
import { openChromium, skip } from "../browser/chromium.ts";

const protocols = { connect: "Connect", "grpc-web": "gRPC-Web" };
const waiting = { timeout: 15_000 };

describe("the browser example", { skip, timeout: 90_000 }, () => {
  let browser: BrowserContext;
  let close: (() => Promise<void>) | undefined;
  before(async () => {
    ({ browser, close } = await openChromium());
  });
  after(() => close?.());

  /** The page, at its origin, with the service at another. */
  async function open(t: TestContext, { secondMs = 20, isAllowed = true } = {}) {
    const port = await freePort();
    const pages = await startPages(`http://localhost:${port}`);
    t.after(() => pages.close());
    const origins = [isAllowed ? pages.origin : "http://elsewhere.example"];
    const server = await startServer({ port, origins, secondMs });
    const page = await browser.newPage();
    await page.setViewportSize({ width: 960, height: 660 });
    t.after(async () => {
      await page.close();
      await server.stop();
    });
    const problems: string[] = [];
    page.on("pageerror", (error) => problems.push(String(error)));
    const requests: string[] = [];
    page.on("request", (request) => {
      const [, method] = /LaunchService\/(\w+)/.exec(request.url()) ?? [];
      if (method) requests.push(`${request.method()} ${method}`);
    });
    await page.goto(pages.origin);
    return { page, problems, requests };
  }

  /** Cells of the newest call, once its outcome is there. */
  async function outcome(page: Page, rows: number): Promise<string[]> {
    const newest = page.locator("#calls tr").first();
    await page
      .locator("#calls tr")
      .nth(rows - 1)
      .waitFor(waiting);
    await newest.locator(".ok, .failed").waitFor(waiting);
    return newest.locator("td").allTextContents();
  }

  for (const [protocol, name] of Object.entries(protocols)) {
    test(`${name}: a unary call, a stream to its end, and an error`, async (t) => {
      const { page, problems, requests } = await open(t);
      await page.locator(`[value=${protocol}]`).check({ force: true });
      await page.locator("#prepare").click();
      assert.deepEqual(await outcome(page, 1), ["Prepare", name, "1", "pad 39A, 0 aborted"]);
      // Without side effects, so Connect needs neither POST nor a preflight.
      assert.ok(requests.includes(protocol === "connect" ? "GET Prepare" : "POST Prepare"));
      await page.locator("#launch").click();
      assert.deepEqual(await outcome(page, 2), ["CountDown", name, "11", "Apollo 11 has left"]);
      assert.equal(await page.locator("#announcement").textContent(), "Lift-off");
      await page.locator("#mission").fill("");
      await page.locator("#prepare").click();
      const refused = "InvalidArgument: a mission needs a name";
      assert.deepEqual(await outcome(page, 3), ["Prepare", name, "0", refused]);
      assert.deepEqual(problems, []);
    });

    test(`${name}: the stream is shown as it comes, and leaving it reaches the service`, async (t) => {
      const { page } = await open(t, { secondMs: 60_000 });
      await page.locator(`[value=${protocol}]`).check({ force: true });
      await page.locator("#launch").click();
      await page.locator("#remaining", { hasText: /^10$/ }).waitFor(waiting);
      await page.locator("#abort").click();
      assert.equal((await outcome(page, 1)).at(-1), "aborted");
      let rows = 1;
      for (let told = ""; told !== "pad 39A, 1 aborted"; ) {
        await page.locator("#prepare").click();
        told = (await outcome(page, ++rows)).at(-1) ?? "";
        assert.ok(rows < 100, "the service counts on");
      }
    });

    test(`${name}: a page of an origin that is not listed gets nothing`, async (t) => {
      const { page } = await open(t, { isAllowed: false });
      await page.locator(`[value=${protocol}]`).check({ force: true });
      await page.locator("#prepare").click();
      assert.match((await outcome(page, 1)).at(-1) ?? "", /Failed to fetch/);
    });
  }

  test("the picture of the README is there; SCREENSHOT=1 makes it", async (t) => {
    const file = "examples/browser/screenshot.png";
    if (process.env.SCREENSHOT) {
      const { page } = await open(t, { secondMs: 500 });
      for (const protocol of Object.keys(protocols)) {
        await page.locator(`[value=${protocol}]`).check({ force: true });
        await page.locator("#prepare").click();
        await outcome(page, 1);
      }
      await page.locator("#launch").click();
      await page.locator("#remaining", { hasText: /^4$/ }).waitFor(waiting);
      await page.waitForTimeout(400);
      await page.screenshot({ path: file });
    }
    assert.match(readFileSync("examples/browser/README.md", "utf8"), /\(screenshot\.png\)/);
    assert.ok(readFileSync(file).byteLength > 10_000);
  });
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
