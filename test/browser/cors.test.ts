import assert from "node:assert/strict";
import { createServer as createHttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, type TestContext, test } from "node:test";
import type { CorsOptions, CreateServerOptions } from "connectum/core";
import { createTestCertificates, createTestServer } from "connectum/testing";
import { buildSync } from "esbuild";
import type { BrowserContext } from "playwright-core";
import { loadService } from "../load/service.ts";
import { openChromium, skip } from "./chromium.ts";
import type { Outcome } from "./page.ts";

const protocols = ["connect", "grpc-web"] as const;

describe("calls from a page of another origin in Chromium", { skip }, () => {
  const pages = createHttpServer((_request, response) => {
    response
      .writeHead(200, { "content-type": "text/html" })
      .end("<!doctype html><title>page</title>");
  });
  let browser: BrowserContext;
  let close: (() => Promise<void>) | undefined;
  let origin: string;

  before(async () => {
    await new Promise<void>((resolve) => pages.listen(0, "127.0.0.1", resolve));
    origin = `http://localhost:${(pages.address() as AddressInfo).port}`;
    ({ browser, close } = await openChromium());
    const { outputFiles } = buildSync({
      entryPoints: ["test/browser/page.ts"],
      bundle: true,
      format: "iife",
      write: false,
    });
    await browser.addInitScript({ content: outputFiles[0]?.text });
  });
  after(async () => {
    await close?.();
    pages.close();
    pages.closeAllConnections();
  });

  async function callFromPage(
    t: TestContext,
    cors: CorsOptions | false,
    protocol: (typeof protocols)[number],
    {
      useHttpGet = false,
      credentials = "same-origin",
      tls,
    }: {
      useHttpGet?: boolean;
      credentials?: RequestCredentials;
      tls?: CreateServerOptions["tls"];
    } = {},
  ): Promise<Outcome> {
    const { baseUrl } = await createTestServer({
      t,
      services: [loadService()],
      cors,
      tls,
      shutdown: { timeout: 500 },
    });
    const page = await browser.newPage();
    try {
      await page.goto(origin);
      return await page.evaluate(
        ([name, url, isGet, cookies]) =>
          (globalThis as unknown as { callAll(...args: unknown[]): Promise<Outcome> }).callAll(
            name,
            url,
            isGet,
            cookies,
          ),
        [protocol, baseUrl, useHttpGet, credentials] as const,
      );
    } finally {
      await page.close();
    }
  }

  const own = { allowedHeaders: ["X-Note"], exposedHeaders: ["X-Note", "X-Note-Trailer"] };
  const everything = { text: "Ada", header: "noted", trailer: "noted", messages: 5 };

  for (const protocol of protocols) {
    test(`${protocol}: unary and server stream, headers and trailers`, async (t) => {
      const cors = { origins: [origin], ...own };
      assert.deepEqual(await callFromPage(t, cors, protocol), everything);
    });

    test(`${protocol}: over TLS and HTTP/2`, async (t) => {
      const tls = await (await createTestCertificates()).issue();
      const cors = { origins: [origin], ...own };
      assert.deepEqual(await callFromPage(t, cors, protocol, { tls }), everything);
    });

    test(`${protocol}: with origins "*"`, async (t) => {
      const cors = { origins: "*", ...own } as const;
      assert.deepEqual(await callFromPage(t, cors, protocol), everything);
    });

    test(`${protocol}: with credentials`, async (t) => {
      const cors = { origins: [origin], credentials: true, ...own };
      assert.deepEqual(
        await callFromPage(t, cors, protocol, { credentials: "include" }),
        everything,
      );
    });

    test(`${protocol}: credentials that are not allowed are refused`, async (t) => {
      const cors = { origins: [origin], ...own };
      const outcome = await callFromPage(t, cors, protocol, { credentials: "include" });
      assert.ok(outcome.error);
    });

    test(`${protocol}: another origin, a header that is not allowed, cors off: refused`, async (t) => {
      const stranger = { origins: ["https://other.example"], ...own };
      assert.ok((await callFromPage(t, stranger, protocol)).error);
      const noHeader = { origins: [origin], exposedHeaders: own.exposedHeaders };
      assert.ok((await callFromPage(t, noHeader, protocol)).error);
      assert.ok((await callFromPage(t, false, protocol)).error);
    });

    test(`${protocol}: what is not exposed is hidden, the call works`, async (t) => {
      const cors = { origins: [origin], allowedHeaders: own.allowedHeaders };
      const { text, header, messages } = await callFromPage(t, cors, protocol);
      assert.deepEqual({ text, header, messages }, { text: "Ada", header: null, messages: 5 });
    });
  }

  test("connect: GET for a method without side effects", async (t) => {
    const cors = { origins: [origin], ...own };
    assert.deepEqual(await callFromPage(t, cors, "connect", { useHttpGet: true }), everything);
  });
});
