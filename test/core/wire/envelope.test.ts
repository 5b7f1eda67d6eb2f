import assert from "node:assert/strict";
import * as http2 from "node:http2";
import { describe, type TestContext, test } from "node:test";
import { defineService } from "connectum/core";
import { createTestServer } from "connectum/testing";
import { ScriptService } from "../../gen/connectum/script/v1/script_pb.js";
import { sendHttp2 } from "../doors/send-pieces.ts";

const END_STREAM = 0x02;

const service = defineService(ScriptService, {
  once: ({ content }) => ({ content }),
  async *talk(requests) {
    for await (const { content } of requests) yield { content: content ?? { text: "" } };
  },
});

/** A JSON message of exactly so many bytes, no two neighbours of its text alike. */
function message(byteLength: number): { readonly text: string; readonly bytes: Buffer } {
  const frame = (text: string) => `{"content":{"text":"${text}"}}`;
  const length = Math.max(0, byteLength - frame("").length);
  const text = "abcdefghijklmnopqrstuvwxyz".repeat(length / 26 + 1).slice(0, length);
  return { text, bytes: Buffer.from(text ? frame(text) : "{}".padEnd(byteLength)) };
}

function envelope(bytes: Buffer): Buffer {
  return Buffer.concat([head(bytes.byteLength), bytes]);
}

function piecesOf(bytes: Buffer, size: number): Buffer[] {
  const count = Math.ceil(bytes.byteLength / size);
  return Array.from({ length: count }, (_, at) => bytes.subarray(at * size, (at + 1) * size));
}

function head(length: number): Buffer {
  const bytes = Buffer.alloc(5);
  bytes.writeUInt32BE(length, 1);
  return bytes;
}

async function startClient(t: TestContext, readMaxBytes?: number) {
  const { baseUrl } = await createTestServer({ t, services: [service], readMaxBytes });
  const session = http2.connect(baseUrl);
  t.after(() => session.destroy());
  const send = async (method: string, type: string, pieces: Buffer[]) => {
    const path = `/${ScriptService.typeName}/${method}`;
    const paused = pieces.map((bytes) => ({ bytes, pause: 2 }));
    return envelopes(await sendHttp2(session, path, { "content-type": type }, paused));
  };
  return {
    send,
    /** The texts that came back, and what the end of the stream says. */
    async talk(pieces: Buffer[]) {
      const answer = await send("Talk", "application/connect+json", pieces);
      const texts = answer.flatMap(({ flags, data }) =>
        flags === END_STREAM ? [] : [JSON.parse(data).content.text ?? ""],
      );
      const end = answer.find(({ flags }) => flags === END_STREAM)?.data ?? "no end";
      return { texts, error: JSON.parse(end).error };
    },
    /** The text that came back, or the trailers of a refusal. */
    async once(pieces: Buffer[], protocol: "grpc" | "grpc-web" = "grpc-web"): Promise<string> {
      const answer = await send("Once", `application/${protocol}+json`, pieces);
      const [{ flags, data } = { flags: -1, data: "nothing" }] = answer;
      return flags === 0 ? JSON.parse(data).content.text : data;
    },
  };
}

function envelopes(body: Buffer): Array<{ flags: number; data: string }> {
  const found: Array<{ flags: number; data: string }> = [];
  for (let offset = 0; offset < body.byteLength; ) {
    const end = offset + 5 + body.readUInt32BE(offset + 1);
    found.push({ flags: body[offset] as number, data: body.toString("utf8", offset + 5, end) });
    offset = end;
  }
  return found;
}

describe("envelopes in a request", () => {
  const messages = [2, 40, 3, 30].map(message);
  const texts = messages.map(({ text }) => text);
  const body = Buffer.concat(messages.map(({ bytes }) => envelope(bytes)));

  test("may be cut anywhere", async (t) => {
    const { talk } = await startClient(t);
    for (let cut = 0; cut <= body.byteLength; cut++) {
      const answer = await talk([body.subarray(0, cut), body.subarray(cut)]);
      assert.deepEqual(answer, { texts, error: undefined }, `cut at ${cut}`);
    }
  });

  for (const size of [1, 2, 3, 4, 6, 7, 11]) {
    test(`may come in pieces of ${size} bytes`, async (t) => {
      const { talk } = await startClient(t);
      assert.deepEqual(await talk(piecesOf(body, size)), { texts, error: undefined });
    });
  }

  test("may be empty, and stand anywhere between others", async (t) => {
    const { send } = await startClient(t);
    const one = Buffer.from([0x12, 0x03, 0x0a, 0x01, 0x61]);
    for (const list of [
      [[], [], []],
      [[], one, []],
      [one, [], one],
    ]) {
      const bytes = Buffer.concat(list.map((message) => envelope(Buffer.from(message))));
      for (const size of [1, 3, 5, 6, 10, 100]) {
        const answer = await send("Talk", "application/connect+proto", piecesOf(bytes, size));
        assert.deepEqual(
          answer.map(({ data }) => data.includes("a")),
          [...list.map((message) => message === one), false],
        );
      }
    }
  });

  test("are one for a method that takes one, however the second comes", async (t) => {
    const { once } = await startClient(t);
    const whole = envelope(message(40).bytes);
    const two = Buffer.concat([whole, whole]);
    const text = "more than one request message, this method takes one";
    for (const pieces of [[whole, whole], [two], piecesOf(two, 50), piecesOf(two, 7)]) {
      assert.match(await once(pieces), new RegExp(`grpc-status: 12\r\ngrpc-message: ${text}\r`));
    }
  });

  test("have the length their head says, over all of its bytes", async (t) => {
    const { talk, once } = await startClient(t, 1_000);
    for (const length of [0x0001_0203, 0x0102_0304, 0x8182_8384, 0xffff_ffff]) {
      const text = `message of ${length} bytes is larger than readMaxBytes 1000`;
      for (let cut = 0; cut <= 4; cut++) {
        const pieces = [head(length).subarray(0, cut), head(length).subarray(cut)];
        const { error } = await talk(pieces);
        assert.deepEqual([error.code, error.message], ["resource_exhausted", text]);
        assert.match(await once(pieces), new RegExp(`grpc-status: 8\r\ngrpc-message: ${text}`));
      }
    }
  });

  test("may be as large as readMaxBytes, whole or in pieces, and no larger", async (t) => {
    const { talk, once } = await startClient(t, 1_000);
    for (const [byteLength, isTaken] of [
      [1_000, true],
      [1_001, false],
    ] as const) {
      const { text, bytes } = message(byteLength);
      const whole = envelope(bytes);
      for (const pieces of [[whole], [whole.subarray(0, 500), whole.subarray(500)]]) {
        const streamed = await talk(pieces);
        const unary = await once(pieces);
        if (isTaken) {
          assert.deepEqual(streamed, { texts: [text], error: undefined });
          assert.equal(unary, text);
        } else {
          assert.equal(streamed.error.code, "resource_exhausted");
          assert.match(unary, /grpc-status: 8\r/);
        }
      }
    }
  });

  test("that end too early are refused with how far they came", async (t) => {
    const { talk, once } = await startClient(t);
    const whole = envelope(message(40).bytes);
    for (const length of [1, 4, 5, 44]) {
      const text = `the request ended inside a message, ${length} bytes into it`;
      const { error } = await talk([whole.subarray(0, length)]);
      assert.deepEqual(error, { code: "invalid_argument", message: text });
      const refusal = await once([whole.subarray(0, length)]);
      assert.match(refusal, new RegExp(`grpc-status: 3\r\ngrpc-message: ${text}\r`));
      // What was taken before does not count.
      const second = await talk([whole, whole.subarray(0, length)]);
      assert.deepEqual(second, { texts: [message(40).text], error: { ...error } });
    }
  });
});

describe("envelopes of answers", () => {
  test("have their message in them, small or large", async (t) => {
    const { talk, once } = await startClient(t);
    for (const byteLength of [40, 65_535, 65_536, 65_537, 300_000]) {
      const { text, bytes } = message(byteLength);
      const request = [envelope(bytes)];
      assert.deepEqual(await talk(request), { texts: [text], error: undefined });
      assert.equal(await once(request, "grpc"), text);
      assert.equal(await once(request, "grpc-web"), text);
    }
  });
});
