import assert from "node:assert/strict";
import { test } from "node:test";
import { createFakeClock, createTestServer } from "connectum/testing";
import { loadService } from "../../load/service.ts";
import { CANCEL, ENHANCE_YOUR_CALM, RawHttp2, requestHeaders } from "../../support/raw-http2.ts";
import { onEverySite } from "./sites.ts";

const path = "/connectum.load.v1.LoadService/Echo";

const code = (value: number) => Buffer.from([0, 0, 0, value]);

const resets = (client: RawHttp2, count: number, reason = CANCEL) => {
  for (let index = 0; index < count; index++) {
    client.request(index * 2 + 1, requestHeaders(path));
    client.send("RST_STREAM", 0, index * 2 + 1, code(reason));
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
      flood(many, 20);
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

onEverySite(
  "a client that leaves one call after the other is no flood",
  { floodLimits: { resetsPerSecond: 5, pingsPerSecond: 1_000 } },
  async (site) => {
    const client = await RawHttp2.connect(site.port, site.isTls);
    const answers = () => client.frames.filter(({ name, flags }) => name === "PING" && flags === 1);
    const roundTrip = async () => {
      const before = answers().length;
      pings(client, 1);
      await client.find(() => answers().length > before);
    };
    for (let id = 1; id < 200; id += 2) {
      client.request(id, requestHeaders(path));
      await roundTrip();
      client.send("RST_STREAM", 0, id, code(CANCEL));
      await roundTrip();
    }
    client.request(1_001, requestHeaders("/nowhere"), 5);
    assert.ok(await client.find(({ streamId }) => streamId === 1_001), client.names().at(-1));
    // The same connection, as soon as it does not wait.
    for (let id = 1_003; id < 1_100; id += 2) {
      client.request(id, requestHeaders(path));
      client.send("RST_STREAM", 0, id, code(CANCEL));
    }
    assert.equal(await client.goaway(), ENHANCE_YOUR_CALM);
  },
);

test("calls that lived for a second may be left all at once, younger ones may not", {
  timeout: 30_000,
}, async (t) => {
  const clock = createFakeClock({ t });
  const { port } = await createTestServer({
    t,
    services: [loadService()],
    floodLimits: { resetsPerSecond: 5 },
  });
  const client = await RawHttp2.connect(port);
  const open = async (from: number, to: number) => {
    for (let id = from; id < to; id += 2) client.request(id, requestHeaders(path));
    client.request(to, requestHeaders("/nowhere"), 5);
    assert.ok(await client.find(({ streamId }) => streamId === to), client.names().at(-1));
  };
  const leave = (from: number, to: number) => {
    for (let id = from; id < to; id += 2) client.send("RST_STREAM", 0, id, code(CANCEL));
  };
  await open(1, 101);
  await clock.advance(1_000);
  await open(103, 201);
  await clock.advance(1_000);
  leave(1, 101);
  // Whoever began in the second before this one may be a second old, or no more than a moment.
  await open(203, 203);
  leave(103, 201);
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
