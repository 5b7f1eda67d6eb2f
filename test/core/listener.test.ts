import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { connect, type Socket } from "node:net";
import { describe, type TestContext, test } from "node:test";
import { createClient } from "@connectrpc/connect";
import { defineService } from "connectum/core";
import { createTestServer } from "connectum/testing";
import { GreeterService } from "../../examples/greeter/gen/greeter/v1/greeter_pb.js";
import { greeter } from "../../examples/greeter/service.ts";
import { createTransport } from "../support/transports.ts";

const services = [defineService(GreeterService, greeter)];
const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

async function open(t: TestContext, port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  t.after(() => socket.destroy());
  await once(socket, "connect");
  return socket;
}

describe("one plaintext port", () => {
  test("closes a silent client, half a preface and a preface without settings after handshakeTimeout, disturbing nobody", async (t) => {
    const { port, baseUrl } = await createTestServer({ t, services, handshakeTimeout: 150 });
    const silent = await open(t, port);
    const half = await open(t, port);
    half.write(preface.slice(0, 12));
    const noSettings = await open(t, port);
    noSettings.write(preface);
    noSettings.resume();
    const closed = Promise.all([silent, half, noSettings].map((socket) => once(socket, "close")));

    const client = createClient(GreeterService, createTransport("gRPC h2", baseUrl));
    let isOver = false;
    const healthy = (async () => {
      let calls = 0;
      while (!isOver) {
        await client.sayHello({ name: "Ada" });
        calls++;
      }
      return calls;
    })();
    await closed;
    isOver = true;
    assert.ok((await healthy) > 0);
  });

  test("keeps a client whose handshake is done, however long it is idle", async (t) => {
    const { port } = await createTestServer({ t, services, handshakeTimeout: 50 });
    const session = connectHttp2(`http://127.0.0.1:${port}`);
    t.after(() => session.destroy());
    await once(session, "remoteSettings");
    const silent = await open(t, port);
    await once(silent, "close");
    assert.equal(session.closed, false);
  });

  test("recognises a preface that arrives byte by byte", async (t) => {
    const { port } = await createTestServer({ t, services });
    const socket = await open(t, port);
    socket.setNoDelay(true);
    for (const byte of preface) {
      socket.write(byte);
      await new Promise((resolve) => setImmediate(resolve));
    }
    socket.write(Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]));
    const [bytes] = (await once(socket, "data")) as [Buffer];
    const settingsFrame = 4;
    assert.equal(bytes[3], settingsFrame);
  });

  test("takes bytes that only begin like a preface for HTTP/1.1", async (t) => {
    const { port } = await createTestServer({ t, services });
    const socket = await open(t, port);
    socket.write("PRI /nobody HTTP/1.1\r\nHost: a\r\n\r\n");
    const [bytes] = (await once(socket, "data")) as [Buffer];
    assert.match(bytes.toString(), /^HTTP\/1\.1 400 /);
  });

  test("with allowHTTP1 false serves only HTTP/2, with allowHTTP2 false only HTTP/1.1", async (t) => {
    const onlyHttp2 = await createTestServer({ t, services, allowHTTP1: false });
    const onlyHttp1 = await createTestServer({
      t,
      services,
      allowHTTP2: false,
      transportValidation: "off",
    });
    const call = (name: "Connect h1" | "Connect h2", baseUrl: string) =>
      createClient(GreeterService, createTransport(name, baseUrl)).sayHello({ name: "Ada" });
    assert.ok(await call("Connect h2", onlyHttp2.baseUrl));
    await assert.rejects(call("Connect h1", onlyHttp2.baseUrl));
    assert.ok(await call("Connect h1", onlyHttp1.baseUrl));
    await assert.rejects(call("Connect h2", onlyHttp1.baseUrl));
  });

  test("an idle HTTP/1.1 and an idle HTTP/2 client do not hold up the stop", {
    timeout: 10_000,
  }, async (t) => {
    const { server, port, baseUrl } = await createTestServer({
      t,
      services,
      shutdown: { timeout: 60_000 },
    });
    await fetch(`${baseUrl}/nothing`).then((response) => response.text());
    const session = connectHttp2(`http://127.0.0.1:${port}`);
    await once(session, "remoteSettings");
    const closed = once(session, "close");
    await server.stop();
    await closed;
  });
});
