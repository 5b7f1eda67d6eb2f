import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { compressionGzip } from "@connectrpc/connect-node";
import { defineService, type ServiceOptions } from "connectum/core";
import { createTestServer } from "connectum/testing";
import { LoadService } from "../gen/connectum/load/v1/load_pb.js";
import { loadService } from "../load/service.ts";
import { echo, encode, type Wire, wires } from "./bad-input/rpc.ts";
import type { Site } from "./bad-input/sites.ts";

const [proto, json] = wires as [Wire, Wire];

/** A server whose own options are the defaults, with one service that has others. */
async function start(t: TestContext, options?: ServiceOptions): Promise<Site> {
  return { ...(await createTestServer({ t, services: [loadService(options)] })), isTls: false };
}

describe("options of defineService win over those of the server:", () => {
  for (const [option, name] of [
    ["connect", "Connect"],
    ["grpc", "gRPC HTTP/2"],
    ["grpcWeb", "gRPC-Web"],
  ] as const) {
    test(`${option}: false takes the service out of that protocol, and no other`, async (t) => {
      const site = await start(t, { [option]: false });
      for (const wire of wires) {
        const { status } = await echo(site, wire);
        assert.equal(status === 200, !wire.name.startsWith(name), wire.name);
      }
    });
  }

  test("interceptors run for its calls alone", async (t) => {
    const seen: string[] = [];
    const counted = (name: string) => (next: (request: never) => unknown) => (request: never) => {
      seen.push(name);
      return next(request);
    };
    const services = [loadService({ interceptors: [counted("service") as never] })];
    const site = { ...(await createTestServer({ t, services })), isTls: false };
    await echo(site, proto);
    assert.deepEqual(seen, ["service"]);
  });

  test("jsonOptions decide how JSON is read", async (t) => {
    const body = '{"text":"Ada","unknown":1}';
    const site = await start(t);
    assert.equal(json.status(await echo(site, json, { body })), 0);
    const strict = await start(t, { jsonOptions: { ignoreUnknownFields: false } });
    assert.equal(json.status(await echo(strict, json, { body })), 3);
  });

  test("binaryOptions decide how messages are read", async (t) => {
    const unknown: number[] = [];
    const body = Buffer.from([0xfa, 0x3e, 1, 0x42]);
    for (const readUnknownFields of [true, false]) {
      const reporting = defineService(
        LoadService,
        {
          echo: ({ $unknown }) => {
            unknown.push($unknown?.length ?? 0);
            return {};
          },
        },
        { binaryOptions: { readUnknownFields } },
      );
      const started = await createTestServer({ t, services: [reporting] });
      await echo({ ...started, isTls: false }, proto, { body });
    }
    assert.deepEqual(unknown, [1, 0]);
  });

  test("readMaxBytes and writeMaxBytes limit its messages", async (t) => {
    const reads = await start(t, { readMaxBytes: 1_000 });
    const writes = await start(t, { writeMaxBytes: 1_000 });
    for (const wire of wires) {
      const large = { body: encode(wire, "a".repeat(1_001)) };
      const small = { body: encode(wire, "a".repeat(900)) };
      for (const site of [reads, writes]) {
        assert.equal(wire.status(await echo(site, wire, large)), 8, wire.name);
        assert.equal(wire.status(await echo(site, wire, small)), 0, wire.name);
      }
    }
  });

  test("maxTimeoutMs shortens a longer deadline", async (t) => {
    const seen: number[] = [];
    for (const options of [{}, { maxTimeoutMs: 20_000 }]) {
      const reporting = defineService(
        LoadService,
        {
          echo: (_, context) => {
            seen.push(context.timeoutMs() ?? Number.POSITIVE_INFINITY);
            return {};
          },
        },
        options,
      );
      const started = await createTestServer({ t, services: [reporting] });
      const headers = { [proto.timeoutHeader]: "60000" };
      await echo({ ...started, isTls: false }, proto, { headers });
    }
    const [longer = 0, shorter = 0] = seen;
    assert.ok(longer > 20_000 && longer <= 60_000, String(longer));
    assert.ok(shorter > 0 && shorter <= 20_000, String(shorter));
  });

  test("acceptCompression is all it reads and writes", async (t) => {
    const headers = { "content-encoding": "br", "accept-encoding": "br" };
    const site = await start(t, { acceptCompression: [compressionGzip] });
    const refused = await echo(site, proto, { headers });
    assert.equal(proto.status(refused), 12);
    assert.equal(refused.headers["accept-encoding"], "gzip");
    const accepts = { "accept-encoding": "br, gzip" };
    const answer = await echo(site, proto, {
      headers: accepts,
      body: encode(proto, "a".repeat(2_000)),
    });
    assert.equal(answer.headers["content-encoding"], "gzip");
  });

  test("compressMinBytes: smaller answers go out as they are", async (t) => {
    const encodings: unknown[] = [];
    for (const compressMinBytes of [10, 10_000]) {
      const site = await start(t, { compressMinBytes });
      for (const length of [100, 2_000]) {
        const answer = await echo(site, json, {
          headers: { "accept-encoding": "gzip" },
          body: encode(json, "a".repeat(length)),
        });
        const encoding = answer.headers["content-encoding"];
        encodings.push(encoding);
        const bytes = encoding ? gunzipSync(answer.body) : answer.body;
        assert.equal(JSON.parse(bytes.toString()).text.length, length);
      }
    }
    assert.deepEqual(encodings, ["gzip", "gzip", undefined, undefined]);
  });
});
