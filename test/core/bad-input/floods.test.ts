import assert from "node:assert/strict";
import { ENHANCE_YOUR_CALM, RawHttp2, requestHeaders } from "../../support/raw-http2.ts";
import { onEverySite } from "./sites.ts";

const path = "/connectum.load.v1.LoadService/Echo";

const resets = (client: RawHttp2, count: number, code = 8) => {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(code);
  for (let index = 0; index < count; index++) {
    client.request(index * 2 + 1, requestHeaders(path));
    client.send("RST_STREAM", 0, index * 2 + 1, payload);
  }
};
const pings = (client: RawHttp2, count: number) => {
  for (let index = 0; index < count; index++) client.send("PING", 0, 0, Buffer.alloc(8));
};
const settings = (client: RawHttp2, count: number) => {
  for (let index = 0; index < count; index++) client.send("SETTINGS", 0, 0);
};

for (const [name, flood, limit, option] of [
  ["rapid resets", resets, 200, "resetsPerSecond"],
  ["PING", pings, 100, "pingsPerSecond"],
  ["SETTINGS", settings, 20, "settingsPerSecond"],
] as const) {
  onEverySite(`a flood of ${name} is answered ENHANCE_YOUR_CALM`, {}, async (site) => {
    const client = await RawHttp2.connect(site.port, site.isTls);
    // Twice the limit, so that a second that ends meanwhile does not hide the flood.
    flood(client, limit * 2 + 10);
    assert.equal(await client.goaway(), ENHANCE_YOUR_CALM);
    await client.closed;
  });

  onEverySite(
    `floodLimits.${option} sets how much ${name} is a flood`,
    { floodLimits: { [option]: 5 } },
    async (site) => {
      const many = await RawHttp2.connect(site.port, site.isTls);
      // Less than any default.
      flood(many, 15);
      assert.equal(await many.goaway(), ENHANCE_YOUR_CALM);
      const few = await RawHttp2.connect(site.port, site.isTls);
      flood(few, 3);
      few.request(1_001, requestHeaders("/nowhere"), 5);
      assert.ok(await few.find(({ streamId }) => streamId === 1_001));
      few.socket.destroy();
    },
  );
}

onEverySite(
  "a PING for every answer, as clients measure their bandwidth, is no flood",
  { floodLimits: { pingsPerSecond: 5 } },
  async (site) => {
    const client = await RawHttp2.connect(site.port, site.isTls);
    const answered = (index: number) =>
      client.find((frame) => frame.streamId === index * 2 + 1 && frame.flags % 2 === 1);
    for (let index = 0; index < 100; index++) {
      client.call(index * 2 + 1, path);
      assert.ok(await answered(index), `${client.names().slice(-4).join()} at call ${index}`);
      pings(client, 1);
    }
    // The same connection, as soon as the answers are missing.
    pings(client, 20);
    assert.equal(await client.goaway(), ENHANCE_YOUR_CALM);
  },
);

onEverySite("resets without an error code count as well", {}, async (site) => {
  const client = await RawHttp2.connect(site.port, site.isTls);
  resets(client, 410, 0);
  assert.equal(await client.goaway(), ENHANCE_YOUR_CALM);
});

onEverySite("a flood of CONTINUATION ends the connection", {}, async (site) => {
  const client = await RawHttp2.connect(site.port, site.isTls);
  client.request(1, requestHeaders(path), 0);
  for (let index = 0; index < 2_000; index++) {
    client.send("CONTINUATION", 0, 1, Buffer.from([0, 1, 0x61, 1, 0x62]));
  }
  await client.closed;
});

onEverySite("a flood of empty DATA ends the connection", {}, async (site) => {
  const client = await RawHttp2.connect(site.port, site.isTls);
  client.request(1, requestHeaders(path));
  for (let index = 0; index < 20_000 && client.socket.writable; index++) {
    client.send("DATA", 0, 1);
  }
  await client.closed;
});

onEverySite(
  "calls that end well are no flood",
  { floodLimits: { resetsPerSecond: 1 } },
  async (site) => {
    const client = await RawHttp2.connect(site.port, site.isTls);
    const body = Buffer.from([0, 0, 0, 0, 0]);
    for (let streamId = 1; streamId < 400; streamId += 2) {
      client.request(streamId, requestHeaders(path));
      client.send("DATA", 1, streamId, body);
    }
    assert.ok(
      await client.find(
        ({ streamId, flags, name }) => streamId === 399 && name === "HEADERS" && flags % 2 === 1,
      ),
    );
    assert.equal(client.socket.destroyed, false);
    client.socket.destroy();
  },
);

onEverySite(
  "more streams at once than maxConcurrentStreams end the connection",
  { maxConcurrentStreams: 3 },
  async (site) => {
    const client = await RawHttp2.connect(site.port, site.isTls);
    for (const streamId of [1, 3, 5, 7]) client.request(streamId, requestHeaders(path));
    await client.closed;
    assert.equal(
      client.frames.some(({ streamId }) => streamId === 7),
      false,
    );
  },
);
