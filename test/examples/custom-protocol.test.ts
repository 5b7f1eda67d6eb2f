import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHmac } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect, constants } from "node:http2";
import type { AddressInfo } from "node:net";
import { describe, type TestContext, test } from "node:test";
import { promisify } from "node:util";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { createTestServer } from "connectum/testing";
import { protocolSuite } from "connectum/testing/suites";
import { OrderService } from "../../examples/custom-protocol/gen/orders/v1/orders_pb.js";
import { main as startServer } from "../../examples/custom-protocol/server.ts";
import { Webhook } from "../../examples/custom-protocol/webhook.ts";
import { missing } from "../interop/tools.ts";
import { withResolvers } from "../support/with-resolvers.ts";

const secret = "kept-between-us";
const path = "/webhooks/payments";
const sign = (body: string, key = secret) => createHmac("sha256", key).update(body).digest("hex");

protocolSuite("webhook", () => Webhook({ path, secret, receive: async () => {} }), {
  services: [],
  paths: [path],
});

async function start(t: TestContext) {
  const server = await startServer(secret, 0);
  t.after(() => server.stop());
  const baseUrl = `http://127.0.0.1:${(server.address as AddressInfo).port}`;
  const orders = createClient(OrderService, createGrpcTransport({ baseUrl }));
  const isPaid = async (orderId: string) => (await orders.getOrder({ orderId })).paid;
  return { baseUrl, isPaid };
}

async function post(baseUrl: string, body: string, signature = sign(body)): Promise<number> {
  const headers = { "x-signature": signature };
  return (await fetch(baseUrl + path, { method: "POST", body, headers })).status;
}

describe("the webhook example", { timeout: 30_000 }, () => {
  test("a signed event pays its order, and no other", async (t) => {
    const { baseUrl, isPaid } = await start(t);
    assert.equal(await post(baseUrl, '{"orderId":"1001","sender":"bank"}'), 204);
    assert.deepEqual([await isPaid("1001"), await isPaid("1002")], [true, false]);
  });

  test("over HTTP/2 as well", async (t) => {
    const { baseUrl, isPaid } = await start(t);
    const body = '{"orderId":"1002"}';
    const session = connect(baseUrl);
    t.after(() => session.close());
    const request = session.request({
      ":method": "POST",
      ":path": path,
      "x-signature": sign(body),
    });
    request.end(body);
    const [headers] = await once(request, "response");
    assert.equal(headers[constants.HTTP2_HEADER_STATUS], 204);
    assert.equal(await isPaid("1002"), true);
  });

  test("what is not an event of the sender is refused, and pays nothing", async (t) => {
    const { baseUrl, isPaid } = await start(t);
    const body = '{"orderId":"1001"}';
    assert.equal(await post(baseUrl, body, sign(body, "guessed")), 401);
    assert.equal(await post(baseUrl, body, ""), 401);
    assert.equal(await post(baseUrl, body.replace("1001", "1002"), sign(body)), 401);
    assert.equal(await post(baseUrl, "{"), 400);
    assert.equal(await post(baseUrl, '{"orderId":7}'), 422);
    assert.equal(await post(baseUrl, '{"orderId":"7"}'), 422);
    assert.equal(await post(baseUrl, `"${"x".repeat(65_536)}"`), 413);
    const get = await fetch(baseUrl + path);
    assert.deepEqual([get.status, get.headers.get("allow")], [405, "POST"]);
    assert.equal((await fetch(`${baseUrl}${path}/other`, { method: "POST" })).status, 404);
    assert.deepEqual([await isPaid("1001"), await isPaid("1002")], [false, false]);
  });

  test("the sender learns whether to try again, and nothing else", async (t) => {
    let thrown: Error = new ConnectError("later", Code.Unavailable);
    const protocol = Webhook({
      path,
      secret,
      receive: async () => {
        throw thrown;
      },
    });
    const { server, baseUrl } = await createTestServer({ t, protocols: [protocol] });
    const errors: unknown[] = [];
    server.on("error", (error) => errors.push(error));
    assert.equal(await post(baseUrl, "{}"), 503);
    assert.deepEqual(errors, []);
    thrown = new Error("postgres://user:secret@db");
    assert.equal(await post(baseUrl, "{}"), 500);
    assert.deepEqual(errors, [thrown]);
  });

  test("a stop waits for an event that is being handled", async (t) => {
    const received = withResolvers<void>();
    const handled = withResolvers<void>();
    const protocol = Webhook({
      path,
      secret,
      receive() {
        received.resolve();
        return handled.promise;
      },
    });
    const { server, baseUrl } = await createTestServer({ t, protocols: [protocol] });
    const status = post(baseUrl, "{}");
    await received.promise;
    const draining = once(server.shutdownSignal, "abort");
    const stopped = server.stop();
    await draining;
    handled.resolve();
    assert.equal(await status, 204);
    await stopped;
  });

  test("the commands of the README work", { skip: missing("openssl", ["version"]) }, async (t) => {
    const { baseUrl } = await start(t);
    const readme = readFileSync("examples/custom-protocol/README.md", "utf8");
    const [, block = ""] = /```sh\n([\s\S]+?)```/.exec(readme) ?? [];
    const script = block.replace(/^node .*$/m, "").replaceAll("localhost:5000", baseUrl.slice(7));
    const { stdout } = await promisify(execFile)("bash", ["-c", script]);
    assert.match(stdout, /^HTTP\/1\.1 204/);
    assert.deepEqual(JSON.parse(stdout.slice(stdout.indexOf("{"))), {
      orderId: "1001",
      paid: true,
    });
  });
});
