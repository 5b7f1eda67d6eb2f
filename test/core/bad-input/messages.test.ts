import assert from "node:assert/strict";
import { loadService } from "../../load/service.ts";
import type { HttpVersion } from "./request.ts";
import { httpVersions, send } from "./request.ts";
import { echo, encode, service, type Wire, wires } from "./rpc.ts";
import { onEverySite, type Site } from "./sites.ts";

const INVALID_ARGUMENT = 3;
const UNIMPLEMENTED = 12;
const INTERNAL = 13;

const enveloped = wires.filter(({ isEnveloped }) => isEnveloped);
const json = wires.filter(({ contentType }) => contentType.endsWith("json"));
const binary = wires.filter(({ contentType }) => contentType.endsWith("proto"));

onEverySite("a truncated envelope is invalid_argument", {}, async (site) => {
  for (const wire of enveloped) {
    const whole = encode(wire, "Ada");
    for (const length of [3, 5, whole.length - 1]) {
      const answer = await echo(site, wire, { body: whole.subarray(0, length) });
      assert.equal(wire.status(answer), INVALID_ARGUMENT, `${wire.name}, ${length} bytes`);
    }
  }
});

onEverySite("a length prefix that is wrong is invalid_argument", {}, async (site) => {
  for (const wire of enveloped) {
    const tooLong = encode(wire, "Ada");
    tooLong[4] = (tooLong[4] as number) + 1;
    assert.equal(
      wire.status(await echo(site, wire, { body: tooLong })),
      INVALID_ARGUMENT,
      wire.name,
    );
    // What follows a length that is too short is a second message, which a unary call does not take.
    const tooShort = encode(wire, "Ada");
    tooShort[4] = (tooShort[4] as number) - 1;
    assert.equal(wire.status(await echo(site, wire, { body: tooShort })), UNIMPLEMENTED, wire.name);
  }
});

onEverySite(
  "reserved flags are invalid_argument, an unannounced compression internal",
  {},
  async (site) => {
    for (const wire of enveloped) {
      for (const [flags, status] of [
        [0b0000_0001, INTERNAL],
        [0b0100_0000, INVALID_ARGUMENT],
        [0b0001_0001, INVALID_ARGUMENT],
      ] as const) {
        const body = encode(wire, "Ada");
        body[0] = flags;
        const answer = await echo(site, wire, { body });
        assert.equal(wire.status(answer), status, `${wire.name}, flags ${flags}`);
      }
    }
    for (const version of httpVersions) {
      const body = Buffer.from([0b0000_0010, 0, 0, 0, 2, 0x7b, 0x7d]);
      assert.equal(await uploadError(site, version, body), "invalid_argument");
      const truncated = Buffer.from([0, 0, 0, 0, 9, 1]);
      assert.equal(await uploadError(site, version, truncated), "invalid_argument");
    }
  },
);

async function uploadError(site: Site, version: HttpVersion, body: Buffer): Promise<string> {
  const answer = await send(site, version, {
    path: `${service}/Upload`,
    headers: { "content-type": "application/connect+proto" },
    body,
  });
  return JSON.parse(answer.body.subarray(5).toString()).error.code;
}

onEverySite(
  "an unknown encoding is unimplemented and answered with the known ones",
  {},
  async (site) => {
    for (const wire of wires) {
      const answer = await echo(site, wire, { headers: { [wire.encodingHeader]: "lzma" } });
      assert.equal(wire.status(answer), UNIMPLEMENTED, wire.name);
      assert.match(String(answer.headers[wire.acceptHeader]), /gzip,br/, wire.name);
    }
  },
);

onEverySite(
  "bytes that are not what their encoding says are invalid_argument",
  {},
  async (site) => {
    for (const wire of wires) {
      const body = encode(wire, "Ada");
      if (wire.isEnveloped) body[0] = 1;
      const answer = await echo(site, wire, { body, headers: { [wire.encodingHeader]: "gzip" } });
      assert.equal(wire.status(answer), INVALID_ARGUMENT, wire.name);
    }
  },
);

function wrap(wire: Wire, bytes: Uint8Array): Buffer {
  const prefix = Buffer.alloc(wire.isEnveloped ? 5 : 0);
  if (wire.isEnveloped) prefix.writeUInt32BE(bytes.byteLength, 1);
  return Buffer.concat([prefix, bytes]);
}

onEverySite("bad JSON is invalid_argument", {}, async (site) => {
  for (const wire of json) {
    for (const text of ["", "{", "[]", "null", '{"text":1}', '{"payload":"*"}', '{"text":"a"}x']) {
      const answer = await echo(site, wire, { body: text });
      assert.equal(wire.status(answer), INVALID_ARGUMENT, `${wire.name} ${text}`);
    }
    const deep = `{"text":${"[".repeat(100_000)}`;
    assert.equal(wire.status(await echo(site, wire, { body: deep })), INVALID_ARGUMENT);
  }
});

onEverySite("bad UTF-8 is invalid_argument", {}, async (site) => {
  for (const wire of json) {
    const body = Buffer.concat([Buffer.from('{"text":"'), Buffer.from([0xff]), Buffer.from('"}')]);
    assert.equal(wire.status(await echo(site, wire, { body })), INVALID_ARGUMENT, wire.name);
  }
  for (const wire of binary) {
    const body = wrap(wire, Buffer.from([0x0a, 0x01, 0xff]));
    assert.equal(wire.status(await echo(site, wire, { body })), INVALID_ARGUMENT, wire.name);
  }
});

onEverySite("bytes that are no message are invalid_argument", {}, async (site) => {
  for (const wire of binary) {
    for (const bytes of [[0x0a, 0x05, 0x41], [0x0f], [0xff, 0xff, 0xff], [0x08]]) {
      const answer = await echo(site, wire, { body: wrap(wire, Buffer.from(bytes)) });
      assert.equal(wire.status(answer), INVALID_ARGUMENT, `${wire.name} ${bytes}`);
    }
  }
});

onEverySite("unknown fields are ignored", {}, async (site) => {
  for (const wire of json) {
    const answer = await echo(site, wire, { body: '{"text":"Ada","later":{"a":[1]}}' });
    assert.deepEqual(JSON.parse(answer.body.toString()), { text: "Ada" }, wire.name);
  }
  for (const wire of binary) {
    const body = wrap(wire, Buffer.from([0x0a, 1, 0x41, 0xfa, 0x3e, 1, 0x42]));
    assert.equal(wire.status(await echo(site, wire, { body })), 0, wire.name);
  }
});

onEverySite(
  "unknown JSON fields are invalid_argument where jsonOptions say so",
  { jsonOptions: { ignoreUnknownFields: false }, services: [loadService()] },
  async (site) => {
    for (const wire of json) {
      const answer = await echo(site, wire, { body: '{"text":"Ada","later":1}' });
      assert.equal(wire.status(answer), INVALID_ARGUMENT, wire.name);
      assert.equal(wire.status(await echo(site, wire)), 0);
    }
  },
);
