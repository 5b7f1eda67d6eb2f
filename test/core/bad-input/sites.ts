import assert from "node:assert/strict";
import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { describe, type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import type { CreateServerOptions } from "connectum/core";
import {
  createFakeClock,
  createTestCertificates,
  createTestServer,
  type FakeClock,
  type TestServer,
} from "connectum/testing";
import { LoadService } from "../../gen/connectum/load/v1/load_pb.js";
import { loadService } from "../../load/service.ts";

export interface Site extends TestServer {
  readonly isTls: boolean;
}

const issued = createTestCertificates().then((authority) => authority.issue());

/**
 * The same test on plaintext and on TLS. All along, healthy clients of both HTTP versions call the same
 * server; every one of their calls must be answered.
 */
export function onEverySite(
  name: string,
  options: Partial<CreateServerOptions>,
  attack: (site: Site, t: TestContext) => Promise<void>,
): void {
  describe(name, () => {
    for (const isTls of [false, true]) {
      test(isTls ? "TLS" : "plaintext", { timeout: 30_000 }, async (t) => {
        const tls = isTls ? await issued : undefined;
        const started = await createTestServer({ t, services: [loadService()], tls, ...options });
        const healthy = ["Connect h1", "gRPC h2"] as const;
        let isOver = false;
        const undisturbed = healthy.map((name) => call(name, started.baseUrl, () => isOver));
        try {
          await attack({ ...started, isTls }, t);
        } finally {
          isOver = true;
        }
        for (const calls of await Promise.all(undisturbed)) assert.ok(calls > 0);
      });
    }
  });
}

/**
 * The same test on plaintext and on TLS, where time passes when the test says so. Without other clients:
 * theirs would jump while their bytes are on the way.
 */
export function inFakeTime(
  name: string,
  options: Partial<CreateServerOptions>,
  run: (site: Site, clock: FakeClock) => Promise<void>,
): void {
  describe(name, () => {
    for (const isTls of [false, true]) {
      test(isTls ? "TLS" : "plaintext", { timeout: 30_000 }, async (t) => {
        const tls = isTls ? await issued : undefined;
        const clock = createFakeClock({ now: Date.now(), t });
        const started = await createTestServer({ t, services: [loadService()], tls, ...options });
        await run({ ...started, isTls }, clock);
      });
    }
  });
}

/** Calls again and again and returns how often; a call that fails or takes 20 s rejects. */
async function call(
  name: "Connect h1" | "gRPC h2",
  baseUrl: string,
  isOver: () => boolean,
): Promise<number> {
  // A connection that outlives its call would hold up the stop of the server.
  const agent = baseUrl.startsWith("https") ? new HttpsAgent() : new HttpAgent();
  const nodeOptions = { rejectUnauthorized: false };
  const transport = name.endsWith("h1")
    ? createConnectTransport({
        baseUrl,
        httpVersion: "1.1",
        nodeOptions: { ...nodeOptions, agent },
      })
    : createGrpcTransport({ baseUrl, nodeOptions });
  const client = createClient(LoadService, transport);
  let calls = 0;
  do {
    const text = `healthy ${calls++}`;
    assert.equal((await client.echo({ text }, { timeoutMs: 20_000 })).text, text);
    await sleep(2);
  } while (!isOver());
  return calls;
}
