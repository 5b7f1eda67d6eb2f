import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import type { ServiceImpl } from "@connectrpc/connect";
import { defineService } from "connectum/core";
import { createTestCertificates, createTestServer } from "connectum/testing";
import { GreeterService } from "../../examples/greeter/gen/greeter/v1/greeter_pb.js";
import {
  type Frame,
  flag,
  goawayOf,
  preface,
  RawHttp2,
  requestHeaders,
} from "../support/raw-http2.ts";
import { withResolvers } from "../support/with-resolvers.ts";

const path = "/greeter.v1.GreeterService/SayHello";
const streamPath = "/greeter.v1.GreeterService/SayHelloInLanguages";
const authority = await createTestCertificates();
const pair = await authority.issue();

for (const wire of ["plaintext", "TLS"] as const) {
  const isTls = wire === "TLS";
  const ca = isTls ? authority.ca : undefined;
  const start = async (t: TestContext, greeter: Partial<ServiceImpl<typeof GreeterService>>) => {
    const started = await createTestServer({
      t,
      services: [defineService(GreeterService, greeter)],
      tls: isTls ? pair : undefined,
      keepalive: false,
      shutdown: { timeout: 30_000 },
    });
    const connect = () => RawHttp2.connect(started.port, ca);
    return { ...started, connect };
  };

  describe(`stop() of an HTTP/2 connection over ${wire}`, () => {
    test("sends GOAWAY(2^31-1), serves what arrives, then GOAWAY(last stream) and the end", async (t) => {
      const { server, connect } = await start(t, { sayHello: () => ({}) });
      const client = await connect();
      client.call(1, path);
      await client.next("DATA");
      const before = client.frames.length;

      const stopped = server.stop();
      // Nothing else is on its way to us, so the notice follows the answer to this PING.
      client.acknowledge(await client.next("PING", before));
      const notice = await client.next("GOAWAY", before);
      assert.deepEqual(goawayOf(notice), { lastStreamId: 2 ** 31 - 1, code: 0 });
      const ping = await client.next("PING", client.frames.indexOf(notice));
      assert.equal(client.frames.indexOf(notice), before + 1);
      // Still within the round trip of the PING: the server cannot know that we know.
      client.call(3, path);
      await client.next("HEADERS", before);
      client.call(5, path);
      client.acknowledge(ping);
      await client.closed;
      await stopped;

      const seen = client.frames.slice(before);
      const goaways = seen.filter(({ name }) => name === "GOAWAY").map(goawayOf);
      // Node repeats the last one when it destroys the session.
      assert.deepEqual(goaways.slice(0, 2), [
        { lastStreamId: 2 ** 31 - 1, code: 0 },
        { lastStreamId: 5, code: 0 },
      ]);
      assert.ok(isServed(seen, 3) && isServed(seen, 5), client.names().join());
    });

    test("waits for a call in flight between GOAWAY(last stream) and the end", async (t) => {
      const entered = withResolvers();
      const release = withResolvers();
      const { server, connect } = await start(t, {
        async sayHello() {
          entered.resolve();
          await release.promise;
          return {};
        },
      });
      const client = await connect();
      client.call(1, path);
      await entered.promise;
      const stopped = server.stop();
      client.acknowledge(await client.next("PING"));
      const notice = await client.next("GOAWAY");
      client.acknowledge(await client.next("PING", client.frames.indexOf(notice)));
      const before = client.frames.indexOf(notice) + 1;
      assert.equal(goawayOf(await client.next("GOAWAY", before)).lastStreamId, 1);
      release.resolve();
      await client.closed;
      await stopped;
      const names = client.names().slice(before);
      assert.ok(names.indexOf("GOAWAY") < names.indexOf("HEADERS"), names.join());
    });

    test("does not wait for anything when its client is idle", async (t) => {
      const { server, connect } = await start(t, {});
      const client = await connect();
      client.acknowledgesPings = true;
      // No timer of the server fires from here on.
      t.mock.timers.enable({ apis: ["setTimeout"] });
      await server.stop();
      await client.closed;
    });

    test("a client that says GOAWAY itself still gets the answer of its call in flight", async (t) => {
      const entered = withResolvers();
      const release = withResolvers();
      const { connect } = await start(t, {
        async sayHello() {
          entered.resolve();
          await release.promise;
          return {};
        },
      });
      const client = await connect();
      client.call(1, path);
      await entered.promise;
      client.send("GOAWAY", 0, 0, Buffer.alloc(8));
      await client.next("GOAWAY");
      release.resolve();
      await client.closed;
      assert.ok(isServed(client.frames, 1), client.names().join());
    });

    test("a client whose connection begins meanwhile sees SETTINGS first, and is served", async (t) => {
      const { server, port, connect } = await start(t, { sayHello: () => ({}) });
      const late = new RawHttp2(RawHttp2.openSocket(port, ca));
      late.socket.write(preface.subarray(0, 10));
      // Its answer proves that the server has accepted the connection before it, too.
      const other = await connect();
      other.acknowledgesPings = true;
      const stopped = server.stop();
      await other.next("GOAWAY");
      late.socket.write(preface.subarray(10));
      late.send("SETTINGS", 0, 0);
      late.call(1, path);
      await late.closed;
      await stopped;
      assert.equal(late.frames[0]?.name, "SETTINGS");
      assert.ok(isServed(late.frames, 1), late.names().join());
    });

    test("a reader that stalls gets all of its stream, and its full socket crashes nothing", async (t) => {
      const messages = 400;
      let sent = 0;
      const { server, connect } = await start(t, {
        async *sayHelloInLanguages() {
          while (sent < messages) {
            sent++;
            yield { greeting: "x".repeat(100_000) };
          }
        },
      });
      const client = await connect();
      client.send("WINDOW_UPDATE", 0, 0, window);
      client.request(1, requestHeaders(streamPath, connectStream));
      client.send("WINDOW_UPDATE", 0, 1, window);
      client.send("DATA", flag.endStream, 1, Buffer.from("\0\0\0\0\x02{}"));
      await client.next("DATA");
      client.socket.pause();
      for (let before = -1; before !== sent; await turns(200)) before = sent;
      assert.ok(sent < messages, "the socket is full");
      const stopped = server.stop();
      await turns(200);
      client.socket.resume();
      await client.closed;
      await stopped;
      const bytes = client.frames
        .filter(({ name }) => name === "DATA")
        .reduce((sum, { payload }) => sum + payload.length, 0);
      assert.ok(bytes > messages * 100_000, `${bytes} bytes arrived`);
      assert.ok(isServed(client.frames, 1));
      assert.ok(!client.names().includes("unknown"));
    });
  });
}

const connectStream = "application/connect+json";

/** As much more as a window takes. */
const window = Buffer.from([0x7f, 0xfe, 0, 0]);

function isServed(frames: readonly Frame[], streamId: number): boolean {
  const answer = frames.filter((frame) => frame.streamId === streamId);
  const isWhole = answer.at(-1)?.flags === flag.endStream;
  return isWhole && answer[0]?.name === "HEADERS" && answer.some(({ name }) => name === "DATA");
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}
