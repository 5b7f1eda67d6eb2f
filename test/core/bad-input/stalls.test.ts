import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { create, toBinary } from "@bufbuild/protobuf";
import { Code, type ConnectError, createClient } from "@connectrpc/connect";
import { encodeEnvelope } from "@connectrpc/connect/protocol";
import { defineService } from "connectum/core";
import { DownloadRequestSchema, LoadService } from "../../gen/connectum/load/v1/load_pb.js";
import { CANCEL, RawHttp2, requestHeaders } from "../../support/raw-http2.ts";
import { createTransport } from "../../support/transports.ts";
import { withResolvers } from "../../support/with-resolvers.ts";
import { openHttp1, untilClosed } from "./raw-http1.ts";
import { echo, encode, service, wires } from "./rpc.ts";
import { inFakeTime, onEverySite } from "./sites.ts";

const DEADLINE_EXCEEDED = 4;
const bodyIdleTimeoutMs = 200;
const writeIdleTimeoutMs = 200;

onEverySite("a unary body that stalls ends its call", { bodyIdleTimeoutMs }, async (site) => {
  for (const wire of wires) {
    const body = encode(wire, "Ada").subarray(0, 4);
    const answer = await echo(site, wire, { isOpen: true, body });
    assert.equal(wire.status(answer), DEADLINE_EXCEEDED, wire.name);
  }
});

onEverySite("a call whose body never begins ends", { bodyIdleTimeoutMs }, async (site) => {
  for (const wire of wires) {
    const answer = await echo(site, wire, { isOpen: true, body: undefined });
    assert.equal(wire.status(answer), DEADLINE_EXCEEDED, wire.name);
  }
});

onEverySite(
  "after a stalled body HTTP/1.1 closes and HTTP/2 ends the stream",
  { bodyIdleTimeoutMs },
  async (site) => {
    const socket = await openHttp1(site.port, site.isTls);
    const head = `POST ${service}/Echo HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n`;
    socket.write(`${head}Content-Length: 10\r\n\r\n{`);
    const answer = await untilClosed(socket);
    assert.match(answer, /^HTTP\/1\.1 504 .*connection: close/is);
    assert.match(answer, /stood still for 200 ms/);

    const client = await RawHttp2.connect(site.port, site.isTls);
    client.request(1, requestHeaders(`${service}/Echo`));
    client.send("DATA", 0, 1, Buffer.from([0, 0, 0]));
    assert.equal(await client.reset(1), 0);
    client.socket.destroy();
  },
);

onEverySite(
  "a stream message that stalls half way ends its call, also for the handler",
  { bodyIdleTimeoutMs },
  async (site) => {
    const client = await RawHttp2.connect(site.port, site.isTls);
    client.request(1, requestHeaders(`${service}/Upload`));
    client.send("DATA", 0, 1, Buffer.from([0, 0, 0, 0, 9, 1, 2]));
    const trailers = await client.find(
      ({ name, streamId, flags }) => name === "HEADERS" && streamId === 1 && flags % 2 === 1,
    );
    assert.ok(trailers);
    assert.equal(await client.reset(1), 0);
    client.socket.destroy();
  },
);

const body = encode(wires[6] as (typeof wires)[number], "a long name that comes in drops");

inFakeTime(
  "a body that keeps moving is not stalled",
  { bodyIdleTimeoutMs },
  async (site, clock) => {
    const client = await RawHttp2.connect(site.port, site.isTls);
    client.request(1, requestHeaders(`${service}/Echo`, "application/grpc+proto"));
    for (const [index, byte] of body.entries()) {
      client.send("DATA", 0, 1, Buffer.from([byte]));
      // The answer proves that the drop has arrived.
      client.send("PING", 0, 0, Buffer.alloc(8, index));
      await client.find(({ name, payload }) => name === "PING" && payload[0] === index);
      await clock.advance(bodyIdleTimeoutMs / 2);
    }
    client.send("DATA", 1, 1);
    const answer = await client.find(
      ({ name, streamId, flags }) => streamId === 1 && (name === "DATA" || flags % 2 === 1),
    );
    assert.deepEqual(answer?.payload, body);
    client.socket.destroy();
  },
);

inFakeTime(
  "a stream that waits between its messages is not stalled",
  { bodyIdleTimeoutMs, writeIdleTimeoutMs },
  async (site, clock) => {
    const nodeOptions = { rejectUnauthorized: false };
    const transport = createTransport("gRPC h2", site.baseUrl, nodeOptions);
    const client = createClient(LoadService, transport);
    let answered = withResolvers();
    async function* slowly() {
      for (const text of ["a", "b"]) {
        answered = withResolvers();
        yield { text };
        await answered.promise;
        await clock.advance(bodyIdleTimeoutMs * 10);
      }
    }
    const texts: string[] = [];
    for await (const { text } of client.talk(slowly())) {
      texts.push(text);
      answered.resolve();
    }
    assert.deepEqual(texts, ["a", "b"]);
  },
);

/** Resolves when a handler has read its first message; the second is read when the gate is opened. */
let reading = withResolvers();
let gate = withResolvers();
const slowReader = defineService(LoadService, {
  echo: ({ text }) => ({ text }),
  async upload(requests) {
    let bytes = 0n;
    for await (const { payload } of requests) {
      if (bytes === 0n) {
        reading.resolve();
        await gate.promise;
      }
      bytes += BigInt(payload.byteLength);
    }
    return { bytes };
  },
});

inFakeTime(
  "a handler that does not read is not its client's standstill",
  { bodyIdleTimeoutMs, services: [slowReader] },
  async (site, clock) => {
    reading = withResolvers();
    gate = withResolvers();
    const nodeOptions = { rejectUnauthorized: false };
    const client = createClient(LoadService, createTransport("gRPC h2", site.baseUrl, nodeOptions));
    async function* many() {
      for (let index = 0; index < 20; index++) yield { payload: new Uint8Array(100_000) };
    }
    const uploading = client.upload(many());
    await reading.promise;
    // Long enough for what is on its way to come to a standstill first.
    await clock.advance(bodyIdleTimeoutMs * 20);
    gate.resolve();
    assert.equal((await uploading).bytes, 2_000_000n);
  },
);

/** Emits "abort" with the reason when a download is aborted. */
const handlers = new EventEmitter();
const downloads = defineService(LoadService, {
  echo: ({ text, payload }) => ({ text, payload }),
  async *download({ count, size }, { signal }) {
    signal.addEventListener("abort", () => handlers.emit("abort", signal.reason));
    for (let index = 0; index < count; index++) yield { payload: new Uint8Array(size) };
  },
});

function downloadRequest(count: number, size: number): Buffer {
  const message = toBinary(DownloadRequestSchema, create(DownloadRequestSchema, { count, size }));
  return Buffer.from(encodeEnvelope(0, message));
}

onEverySite(
  "an HTTP/2 stream nobody reads is reset, and its handler told",
  { writeIdleTimeoutMs, services: [downloads] },
  async (site) => {
    const aborted = once(handlers, "abort");
    const client = await RawHttp2.connect(site.port, site.isTls);
    client.request(1, requestHeaders(`${service}/Download`));
    client.send("DATA", 1, 1, downloadRequest(1_000, 10_000));
    assert.equal(await client.reset(1), CANCEL);
    const [reason]: ConnectError[] = await aborted;
    assert.equal(reason?.code, Code.DeadlineExceeded);
    client.socket.destroy();
  },
);

onEverySite(
  "an HTTP/2 unary answer nobody reads is reset while the connection is busy",
  { writeIdleTimeoutMs, services: [downloads] },
  async (site) => {
    const client = await RawHttp2.connect(site.port, site.isTls, 0);
    client.request(1, requestHeaders(`${service}/Echo`));
    client.send("DATA", 1, 1, encode(wires[6] as (typeof wires)[number], "Ada"));
    const ping = setInterval(() => client.send("PING", 0, 0, Buffer.alloc(8)), 20);
    assert.equal(await client.reset(1), CANCEL);
    clearInterval(ping);
    client.socket.destroy();
  },
);

onEverySite(
  "an HTTP/1.1 answer nobody reads closes its connection",
  { writeIdleTimeoutMs, services: [downloads] },
  async (site) => {
    const aborted = once(handlers, "abort");
    const socket = await openHttp1(site.port, site.isTls);
    socket.pause();
    const body = downloadRequest(10_000, 10_000);
    socket.write(
      `POST ${service}/Download HTTP/1.1\r\nHost: a\r\nContent-Type: application/grpc-web+proto\r\nContent-Length: ${body.length}\r\n\r\n`,
    );
    socket.write(body);
    const [reason]: ConnectError[] = await aborted;
    assert.equal(reason?.code, Code.DeadlineExceeded);
    socket.resume();
    if (!socket.destroyed) await once(socket, "close");
  },
);

inFakeTime(
  "a large answer that is read slowly but steadily arrives",
  { writeIdleTimeoutMs, readMaxBytes: 8_000_000, services: [downloads] },
  async (site, clock) => {
    const client = await RawHttp2.connect(site.port, site.isTls);
    client.request(1, requestHeaders(`${service}/Download`));
    client.send("DATA", 1, 1, downloadRequest(1, 2_500_000));
    const received = () =>
      client.frames.reduce(
        (sum, { name, payload }) => sum + (name === "DATA" ? payload.length : 0),
        0,
      );
    // Room for one piece at a time, for many times as long as the timeout.
    let granted = 65_535;
    while (granted < 2_500_000) {
      await client.find(({ name }) => name === "RST_STREAM" || received() >= granted);
      assert.ok(received() >= granted, "the stream was reset");
      await clock.advance(writeIdleTimeoutMs / 2);
      const increment = Buffer.alloc(4);
      increment.writeUInt32BE(260_000);
      granted += 260_000;
      client.send("WINDOW_UPDATE", 0, 0, increment);
      client.send("WINDOW_UPDATE", 0, 1, increment);
    }
    const last = await client.find(
      ({ name, streamId, flags }) => name === "HEADERS" && streamId === 1 && flags % 2 === 1,
    );
    assert.ok(last, "the stream was reset");
    client.socket.destroy();
  },
);
