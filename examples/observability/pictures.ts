// Makes the pictures of the README: `npm run pictures`.
import { existsSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { graphUrl, main as startDemo } from "./demo.ts";
import { drawTrace, type TracedSpan } from "./draw-trace.ts";
import { main as makeTraffic } from "./traffic.ts";

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const demo = await startDemo({ shopPort: 0, collectorPort: 0, prometheusPort: 19_090 });
const end = Date.now() + Number(process.env.PICTURE_SECONDS ?? 60) * 1000;
while (Date.now() < end) await makeTraffic(demo.shop, 10, 40);

const spans = (await (await fetch(`${demo.collector}/spans`)).json()) as TracedSpan[];
const last = spans.findLast(
  ({ name, status }) => name.endsWith("PaymentService/Charge") && status !== 2,
);
writeFileSync(
  here("trace.svg"),
  drawTrace(spans.filter(({ traceId }) => traceId === last?.traceId)),
);

const browser = await chromium.launch({
  executablePath: existsSync("/usr/bin/chromium") ? "/usr/bin/chromium" : undefined,
  args: ["--no-sandbox"],
});
const page = await browser.newPage({ viewport: { width: 1100, height: 760 } });
await page.goto(graphUrl(demo.prometheus));
await page.waitForSelector("canvas, svg", { timeout: 20_000 });
await page.waitForTimeout(1_500);
await page.screenshot({ path: here("prometheus.png"), fullPage: true });
await browser.close();
await demo.stop();
console.log("wrote trace.svg and prometheus.png");
