import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { describe, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { createServer, defineService } from "connectum/core";
import { createTestServer } from "connectum/testing";
import { LoadService } from "../gen/connectum/load/v1/load_pb.js";
import { loadService } from "../load/service.ts";
import { freePorts } from "../rolling/free-ports.ts";
import { send } from "./bad-input/request.ts";
import { echo, encode, wires } from "./bad-input/rpc.ts";

const services = [loadService()];

describe("options that act on every call", () => {
  test("port and host are where the server listens", async (t) => {
    const [port = 0] = await freePorts(1);
    const { server } = await createTestServer({ t, services, port, host: "127.0.0.2" });
    assert.deepEqual(server.address, { address: "127.0.0.2", family: "IPv4", port });
  });

  for (const [option, name] of [
    ["connect", "Connect"],
    ["grpc", "gRPC HTTP/2"],
    ["grpcWeb", "gRPC-Web"],
  ] as const) {
    test(`${option}: false switches that protocol off, and no other`, async (t) => {
      const site = { ...(await createTestServer({ t, services, [option]: false })), isTls: false };
      for (const wire of wires) {
        const { status } = await echo(site, wire);
        assert.equal(status, wire.name.startsWith(name) ? 415 : 200, wire.name);
      }
    });
  }

  test("http2Options reach node:http2", async (t) => {
    const http2Options = { settings: { initialWindowSize: 123_456 } };
    const { baseUrl } = await createTestServer({ t, services, http2Options });
    const session = connectHttp2(baseUrl);
    t.after(() => session.destroy());
    const [settings] = await once(session, "remoteSettings");
    assert.equal(settings.initialWindowSize, 123_456);
    assert.equal(settings.maxConcurrentStreams, 1_000);
  });

  test("binaryOptions decide how messages are read", async (t) => {
    const unknown: number[] = [];
    const reporting = defineService(LoadService, {
      echo: ({ $unknown }) => {
        unknown.push($unknown?.length ?? 0);
        return {};
      },
    });
    const [wire] = wires;
    assert.ok(wire);
    const body = Buffer.from([0xfa, 0x3e, 1, 0x42]);
    for (const readUnknownFields of [true, false]) {
      const binaryOptions = { readUnknownFields };
      const started = await createTestServer({ t, services: [reporting], binaryOptions });
      await echo({ ...started, isTls: false }, wire, { body });
    }
    assert.deepEqual(unknown, [1, 0]);
  });

  test("compression.minBytes: smaller answers go out as they are", async (t) => {
    const sizes = async (minBytes: number | undefined) => {
      const compression = { minBytes };
      const site = { ...(await createTestServer({ t, services, compression })), isTls: false };
      const encodings: unknown[] = [];
      for (const length of [100, 2_000]) {
        const answer = await send(site, "HTTP/1.1", {
          path: "/connectum.load.v1.LoadService/Echo",
          headers: { "content-type": "application/json", "accept-encoding": "gzip" },
          body: JSON.stringify({ text: "a".repeat(length) }),
        });
        encodings.push(answer.headers["content-encoding"]);
        if (answer.headers["content-encoding"]) {
          const { text } = JSON.parse(gunzipSync(answer.body).toString());
          assert.equal(text.length, length);
        }
      }
      return encodings;
    };
    assert.deepEqual(await sizes(undefined), [undefined, "gzip"]);
    assert.deepEqual(await sizes(10), ["gzip", "gzip"]);
    assert.deepEqual(await sizes(10_000), [undefined, undefined]);
  });

  test("compression.accept: only what is listed is offered and taken", async (t) => {
    const [gzip] = await offered();
    assert.ok(gzip);
    const site = {
      ...(await createTestServer({ t, services, compression: { accept: [] } })),
      isTls: false,
    };
    const [wire] = wires;
    assert.ok(wire);
    const headers = { "content-encoding": "gzip", "accept-encoding": "gzip" };
    const answer = await echo(site, wire, { headers, body: encode(wire, "a".repeat(2_000)) });
    assert.equal(wire.status(answer), 12);
    const plain = await echo(site, wire, { headers: { "accept-encoding": "gzip" } });
    assert.equal(plain.headers["content-encoding"], undefined);

    async function offered() {
      const open = { ...(await createTestServer({ t, services })), isTls: false };
      const refused = await echo(open, wires[0] as (typeof wires)[number], {
        headers: { "content-encoding": "none-such" },
      });
      return String(refused.headers["accept-encoding"]).split(",");
    }
  });

  test("writeMaxBytes refuses an answer that is larger", async (t) => {
    const site = {
      ...(await createTestServer({ t, services, writeMaxBytes: 1_000 })),
      isTls: false,
    };
    for (const wire of wires) {
      const large = await echo(site, wire, { body: encode(wire, "a".repeat(1_001)) });
      assert.equal(wire.status(large), 8, wire.name);
      const small = await echo(site, wire, { body: encode(wire, "a".repeat(900)) });
      assert.equal(wire.status(small), 0, wire.name);
    }
  });

  test("logger hears of errors that clients only see as internal error", async (t) => {
    const lines: unknown[] = [];
    const ignore = () => {};
    const logger = {
      debug: ignore,
      info: ignore,
      warn: ignore,
      error: (details: object) => void lines.push((details as { err?: unknown }).err),
    };
    const failure = new Error("secret");
    const failing = defineService(LoadService, {
      echo() {
        throw failure;
      },
    });
    const site = { ...(await createTestServer({ t, services: [failing], logger })), isTls: false };
    for (const wire of wires) {
      const answer = await echo(site, wire);
      assert.equal(wire.status(answer), 13);
      assert.doesNotMatch(answer.body.toString("latin1"), /secret/);
    }
    assert.ok(lines.length === wires.length && lines.every((line) => line === failure));
  });

  test("undefined is the default of every option", () => {
    createServer({ services, cors: undefined, floodLimits: undefined, keepalive: undefined });
  });
});
