import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { encodeEnvelope } from "@connectrpc/connect/protocol";
import { loadService } from "../../load/service.ts";
import { httpVersions, send } from "./request.ts";
import { echo, encode, service, wires } from "./rpc.ts";
import { onEverySite } from "./sites.ts";

const readMaxBytes = 10_000;
const RESOURCE_EXHAUSTED = 8;

/** 200 MiB in 200 KiB; made here, since it holds up everything else in the process. */
const bomb = gzipSync(Buffer.alloc(200 * 1024 * 1024));

onEverySite(
  "a declared length over readMaxBytes is refused without the body",
  { readMaxBytes },
  async (site) => {
    for (const wire of wires) {
      const length = Buffer.from([0, 0, 0, 0x40, 0]);
      const answer = await echo(site, wire, {
        isOpen: true,
        body: wire.isEnveloped ? length : undefined,
        headers: wire.isEnveloped ? {} : { "content-length": "16384" },
      });
      assert.equal(wire.status(answer), RESOURCE_EXHAUSTED, wire.name);
    }
  },
);

onEverySite(
  "a body that grows over readMaxBytes is refused on the way",
  { readMaxBytes },
  async (site) => {
    for (const wire of wires) {
      const body = encode(wire, "a".repeat(readMaxBytes + 1));
      const answer = await echo(site, wire, { isOpen: true, body });
      assert.equal(wire.status(answer), RESOURCE_EXHAUSTED, wire.name);
    }
  },
);

onEverySite(
  "a message that inflates over readMaxBytes is refused",
  { readMaxBytes },
  async (site) => {
    const small = gzipSync(Buffer.alloc(readMaxBytes + 1));
    for (const wire of wires) {
      const answer = await echo(site, wire, {
        body: wire.isEnveloped ? encodeEnvelope(1, small) : small,
        headers: { [wire.encodingHeader]: "gzip" },
      });
      assert.equal(wire.status(answer), RESOURCE_EXHAUSTED, wire.name);
    }
  },
);

onEverySite(
  "a bomb within the limit of compressed bytes never fills the memory",
  { readMaxBytes: 1024 * 1024, services: [loadService()] },
  async (site) => {
    assert.ok(bomb.byteLength < 1024 * 1024);
    const before = process.memoryUsage().rss;
    for (const wire of wires) {
      const answer = await echo(site, wire, {
        body: wire.isEnveloped ? encodeEnvelope(1, bomb) : bomb,
        headers: { [wire.encodingHeader]: "gzip" },
      });
      assert.equal(wire.status(answer), RESOURCE_EXHAUSTED, wire.name);
    }
    assert.ok(process.memoryUsage().rss - before < 100 * 1024 * 1024);
  },
);

onEverySite(
  "a stream message over readMaxBytes ends its stream",
  { readMaxBytes },
  async (site) => {
    for (const version of httpVersions) {
      const answer = await send(site, version, {
        path: `${service}/Upload`,
        headers: { "content-type": "application/connect+proto" },
        isOpen: true,
        body: Buffer.from([0, 0x7f, 0xff, 0xff, 0xff]),
      });
      const { error } = JSON.parse(answer.body.subarray(5).toString());
      assert.equal(error.code, "resource_exhausted");
    }
  },
);
