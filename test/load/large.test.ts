import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { createClient } from "@connectrpc/connect";
import { createTestServer } from "connectum/testing";
import { LoadService } from "../gen/connectum/load/v1/load_pb.js";
import { createTransport, type grid } from "../support/transports.ts";
import { downloadLarge, growthMiB, uploadLarge } from "./large-streams.ts";
import { MeasuredServer } from "./measured-server.ts";
import { loadService } from "./service.ts";

const MIB = 1024 * 1024;

async function startMeasured(t: TestContext): Promise<MeasuredServer> {
  const server = await MeasuredServer.start();
  t.after(() => server.stop());
  return server;
}

// 64 MiB here; npm run test:large moves 1 GiB.
describe("large things", { timeout: 120_000 }, () => {
  test("a client stream of 64 MiB leaves the memory flat", async (t) => {
    const transfer = await uploadLarge(await startMeasured(t), 64 * MIB);
    assert.equal(transfer.bytes, 64 * MIB);
    assert.ok(growthMiB(transfer, "heapMiB") < 8);
    assert.ok(growthMiB(transfer, "rssMiB") < 48);
  });

  test("a server stream of 64 MiB leaves the memory flat", async (t) => {
    const transfer = await downloadLarge(await startMeasured(t), 64 * MIB);
    assert.equal(transfer.bytes, 64 * MIB);
    assert.ok(growthMiB(transfer, "heapMiB") < 8);
    assert.ok(growthMiB(transfer, "rssMiB") < 48);
  });

  for (const name of ["Connect h1", "gRPC h2"] satisfies Array<(typeof grid)[number]>) {
    test(`${name}: a unary message of 100 MiB, where readMaxBytes allows it`, async (t) => {
      const services = [loadService()];
      const { baseUrl } = await createTestServer({ t, services, readMaxBytes: 101 * MIB });
      const client = createClient(LoadService, createTransport(name, baseUrl));
      const payload = new Uint8Array(100 * MIB);
      payload[payload.length - 1] = 7;
      const answer = await client.echo({ payload });
      assert.equal(answer.payload.byteLength, payload.byteLength);
      assert.equal(answer.payload[payload.length - 1], 7);
    });
  }

  test("100 000 messages on one stream, in order", async (t) => {
    const { baseUrl } = await createTestServer({ t, services: [loadService()] });
    const client = createClient(LoadService, createTransport("gRPC h2", baseUrl));
    let received = 0;
    for await (const { payload } of client.download({ count: 100_000, size: 8 })) {
      received += payload.byteLength;
    }
    assert.equal(received, 800_000);
    let next = 0;
    async function* numbers() {
      for (let index = 0; index < 1_000; index++) yield { text: String(index) };
    }
    for await (const { text } of client.talk(numbers())) assert.equal(text, String(next++));
    assert.equal(next, 1_000);
  });
});
