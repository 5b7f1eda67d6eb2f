import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import {
  ENHANCE_YOUR_CALM,
  encodeHeaders,
  RawHttp2,
  requestHeaders,
} from "../../support/raw-http2.ts";
import { openHttp1, untilClosed } from "./raw-http1.ts";
import { onEverySite } from "./sites.ts";

const path = "/connectum.load.v1.LoadService/Echo";
const headersTimeoutMs = 200;

onEverySite(
  "HTTP/1.1 headers that never end are answered 408",
  { headersTimeoutMs },
  async (site) => {
    const socket = await openHttp1(site.port, site.isTls);
    socket.write(`POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Type: appl`);
    assert.match(await untilClosed(socket), /^HTTP\/1\.1 408 /);
  },
);

onEverySite(
  "HTTP/1.1 headers that trickle in are answered 408",
  { headersTimeoutMs },
  async (site) => {
    const socket = await openHttp1(site.port, site.isTls);
    socket.write(`POST ${path} HTTP/1.1\r\nHost: a\r\nX-Slow: `);
    const drip = setInterval(() => socket.writable && socket.write("a"), 20);
    const answer = await untilClosed(socket);
    clearInterval(drip);
    assert.match(answer, /^HTTP\/1\.1 408 /);
  },
);

onEverySite(
  "an HTTP/2 header frame that never ends closes the connection",
  { headersTimeoutMs },
  async (site) => {
    const client = await RawHttp2.connect(site.port, site.isTls);
    const block = encodeHeaders(requestHeaders(path));
    const announced = Buffer.from([0, 0, block.length, 1, 4, 0, 0, 0, 1]);
    client.socket.write(Buffer.concat([announced, block.subarray(0, 10)]));
    await client.closed;
  },
);

onEverySite(
  "an HTTP/2 header block that trickles in closes the connection",
  { headersTimeoutMs, keepalive: false },
  async (site) => {
    const client = await RawHttp2.connect(site.port, site.isTls);
    const announced = Buffer.from([0, 0x10, 0, 1, 4, 0, 0, 0, 1]);
    client.socket.write(Buffer.concat([announced, Buffer.from([0, 127, 255, 127])]));
    const drip = setInterval(() => client.socket.writable && client.socket.write("a"), 20);
    await client.closed;
    clearInterval(drip);
  },
);

onEverySite(
  "an HTTP/2 block without END_HEADERS closes the connection",
  { headersTimeoutMs },
  async (site) => {
    const client = await RawHttp2.connect(site.port, site.isTls);
    client.request(1, requestHeaders(path), 0);
    await client.closed;
  },
);

onEverySite(
  "a header block that was refused is over: its connection stays",
  { headersTimeoutMs, maxHeaderBytes: 1_000 },
  async (site) => {
    const client = await RawHttp2.connect(site.port, site.isTls);
    // What every client does, and what nobody can in the middle of a header block.
    client.acknowledgesPings = true;
    client.request(1, { ...requestHeaders(path), "x-large": "a".repeat(2_000) });
    assert.equal(await client.reset(1), ENHANCE_YOUR_CALM);
    const other = await RawHttp2.connect(site.port, site.isTls);
    other.request(1, requestHeaders(path), 0);
    await other.closed;
    client.request(3, { ...requestHeaders(path), "content-type": "text/plain" });
    assert.ok(await client.find(({ streamId }) => streamId === 3));
  },
);

onEverySite(
  "a client that says nothing is closed after handshakeTimeout",
  { handshakeTimeout: 150, headersTimeoutMs: 150 },
  async (site) => {
    const silent = connect(site.port, "127.0.0.1");
    silent.on("error", () => {}).resume();
    await once(silent, "close");
    const afterHandshake = await openHttp1(site.port, site.isTls);
    afterHandshake.resume();
    await once(afterHandshake, "close");
  },
);
