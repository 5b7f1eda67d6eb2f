import assert from "node:assert/strict";
import { once } from "node:events";
import { Agent, get, type IncomingMessage } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import { describe, test } from "node:test";
import { createTestServer } from "connectum/testing";
import { loadService } from "../load/service.ts";
import { type Frame, RawHttp2, requestHeaders } from "../support/raw-http2.ts";
import { withResolvers } from "../support/with-resolvers.ts";

const services = [loadService()];
const isPing = ({ name }: Frame) => name === "PING";

describe("keepalive", () => {
  test("pings a client that is silent for intervalMs and closes it timeoutMs later", {
    timeout: 20_000,
  }, async (t) => {
    const keepalive = { intervalMs: 100, timeoutMs: 100 };
    const { port } = await createTestServer({ t, services, keepalive });
    const client = await RawHttp2.connect(port, false);
    assert.ok(await client.find(isPing));
    await client.closed;
  });

  test("keeps a client that answers", { timeout: 20_000 }, async (t) => {
    const keepalive = { intervalMs: 20, timeoutMs: 2_000 };
    const { port } = await createTestServer({ t, services, keepalive });
    const session = connectHttp2(`http://127.0.0.1:${port}`);
    t.after(() => session.destroy());
    for (let pings = 0; pings < 5; pings++) await once(session, "ping");
    assert.equal(session.closed, false);
  });

  test("with false nobody is pinged", { timeout: 20_000 }, async (t) => {
    const quiet = await createTestServer({ t, services, keepalive: false });
    const client = await RawHttp2.connect(quiet.port, false);
    const asking = await createTestServer({ t, services, keepalive: { intervalMs: 20 } });
    const session = connectHttp2(asking.baseUrl);
    t.after(() => session.destroy());
    for (let pings = 0; pings < 5; pings++) await once(session, "ping");
    assert.equal(client.frames.some(isPing), false);
    client.socket.destroy();
  });

  test("a connection that breaks while it is looked at harms nobody", {
    timeout: 20_000,
  }, async (t) => {
    const keepalive = { intervalMs: 1, timeoutMs: 1_000 };
    const { port } = await createTestServer({ t, services, keepalive });
    const clients = Array.from({ length: 50 }, async () => {
      const client = await RawHttp2.connect(port, false);
      client.send("WINDOW_UPDATE", 0, 0, Buffer.alloc(4));
      client.send("SETTINGS", 0, 1, Buffer.alloc(1));
      client.socket.end();
      await client.closed;
    });
    await Promise.all(clients);
  });
});

describe("connection lifetimes", () => {
  test("after maxConnectionAgeMs a client is asked to leave, and its calls run on", {
    timeout: 20_000,
  }, async (t) => {
    const { port } = await createTestServer({ t, services, maxConnectionAgeMs: 100 });
    const client = await RawHttp2.connect(port, false);
    client.request(1, requestHeaders("/connectum.load.v1.LoadService/Talk"));
    assert.equal(await client.goaway(), 0);
    client.send("DATA", 1, 1, Buffer.from([0, 0, 0, 0, 0]));
    const isEnd = ({ name, flags }: Frame) => name === "HEADERS" && flags % 2 === 1;
    assert.ok(await client.find(isEnd));
    client.socket.destroy();
  });

  test("after maxConnectionAgeGraceMs what still runs is cut", { timeout: 20_000 }, async (t) => {
    const ages = { maxConnectionAgeMs: 100, maxConnectionAgeGraceMs: 100 };
    const { port } = await createTestServer({ t, services, ...ages });
    const client = await RawHttp2.connect(port, false);
    client.request(1, requestHeaders("/connectum.load.v1.LoadService/Talk"));
    await client.closed;
  });

  test("an HTTP/2 connection without calls is asked to leave after maxConnectionIdleMs", {
    timeout: 20_000,
  }, async (t) => {
    const { port } = await createTestServer({ t, services, maxConnectionIdleMs: 100 });
    const session = connectHttp2(`http://127.0.0.1:${port}`);
    await once(session, "close");
  });

  test("an idle HTTP/1.1 connection is closed after maxConnectionIdleMs", {
    timeout: 20_000,
  }, async (t) => {
    const { baseUrl } = await createTestServer({ t, services, maxConnectionIdleMs: 100 });
    const agent = new Agent({ keepAlive: true });
    t.after(() => agent.destroy());
    const { promise, resolve } = withResolvers<IncomingMessage>();
    get(`${baseUrl}/nothing`, { agent }, resolve);
    const response = await promise;
    const { socket } = response;
    response.resume();
    await once(socket, "close");
  });
});
