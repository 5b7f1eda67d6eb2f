import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BrowserContext } from "playwright-core";
import { missing } from "../interop/tools.ts";

const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
const isTooOld = Number.parseInt(process.versions.node, 10) < 20;

/** Skip reason for tests in Chromium, or false. */
export const skip = isTooOld ? "Playwright needs Node 20" : missing(executablePath);

// Chromium asks Google for updates and names unless it is told not to.
const args = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--host-resolver-rules=MAP localhost 127.0.0.1",
];

/** Starts headless Chromium with a profile of its own, which `close` removes. */
export async function openChromium(): Promise<{ browser: BrowserContext; close(): Promise<void> }> {
  // Here, because it ends the process when Node is too old for it.
  const { chromium } = await import("playwright-core");
  const profile = mkdtempSync(join(tmpdir(), "connectum-chromium-"));
  const browser = await chromium.launchPersistentContext(profile, {
    executablePath,
    headless: true,
    ignoreHTTPSErrors: true,
    args,
  });
  return {
    browser,
    async close() {
      await browser.close();
      rmSync(profile, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}
