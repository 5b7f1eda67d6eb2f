import assert from "node:assert/strict";
import * as http2 from "node:http2";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync } from "node:zlib";
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { defineService } from "connectum/core";
import { createTestServer } from "connectum/testing";
import * as fc from "fast-check";
import {
  type ContentSchema,
  DownloadResponseSchema,
  ScriptService,
  TalkResponseSchema,
  UploadRequestSchema,
} from "../../gen/connectum/script/v1/script_pb.js";
import { type Pieces, sendHttp1, sendHttp2 } from "./send-pieces.ts";

type Content = MessageInitShape<typeof ContentSchema>;
type Encoding = "gzip" | "br";

const RUNS = 150;

const encodings = {
  gzip: [gzipSync, gunzipSync],
  br: [brotliCompressSync, brotliDecompressSync],
} as const;

const streamTypes = {
  connect: "application/connect+proto",
  grpc: "application/grpc",
  "grpc-web": "application/grpc-web",
  "grpc-web-text": "application/grpc-web-text",
} as const;

const content = fc.record({
  text: fc.string({ maxLength: 20 }),
  payload: fc.uint8Array({ maxLength: 3_000 }),
});
/** How many turns of the event loop pass before something. */
const pause = fc.nat({ max: 2 });
const exchange = fc.record({
  protocol: fc.constantFrom("connect", "grpc", "grpc-web", "grpc-web-text"),
  version: fc.constantFrom(1, 2),
  encoding: fc.constantFrom<Encoding>("gzip", "br"),
  contents: fc.array(fc.record({ content, isCompressed: fc.boolean(), pause }), { maxLength: 8 }),
  cuts: fc.array(fc.record({ at: fc.nat(), pause }), { maxLength: 12 }),
});

type Generated = typeof exchange extends fc.Arbitrary<infer T> ? T : never;

/** The script that handlers follow and what they have seen of it. */
class Script {
  steps: Generated["contents"] = [];
  seen: Content[] = [];
}

function scriptedService(script: Script) {
  return defineService(ScriptService, {
    async upload(requests) {
      let index = 0;
      for await (const { content } of requests) {
        script.seen.push(plain(content));
        await turns(script.steps[index++]?.pause);
      }
      return {};
    },
    async *download() {
      for (const { content, pause } of script.steps) {
        await turns(pause);
        yield { content };
      }
    },
    async *talk(requests) {
      let index = 0;
      for await (const { content } of requests) {
        script.seen.push(plain(content));
        await turns(script.steps[index++]?.pause);
        yield { content };
      }
    },
  });
}

for (const name of ["Upload", "Download", "Talk"] as const) {
  test(`${name}: any messages, chunks, compression and timing give the same stream`, async (t) => {
    const script = new Script();
    const { baseUrl, port } = await createTestServer({
      t,
      services: [scriptedService(script)],
      compression: { minBytes: 100 },
    });
    const session = http2.connect(baseUrl);
    t.after(() => session.destroy());
    const property = fc.asyncProperty(exchange, async (generated) => {
      script.steps = generated.contents;
      script.seen = [];
      const body = await send(name, generated, session, port);
      const contents = generated.contents.map(({ content }) => plain(content));
      if (name !== "Download") assert.deepEqual(script.seen, contents);
      if (name !== "Upload") assert.deepEqual(decode(name, body, generated), contents);
    });
    await fc.assert(property, { numRuns: RUNS });
  });
}

function send(
  name: "Upload" | "Download" | "Talk",
  { protocol, version, encoding, contents, cuts }: Generated,
  session: http2.ClientHttp2Session,
  port: number,
): Promise<Buffer> {
  const prefix = protocol === "connect" ? "connect-content-" : "grpc-";
  const accept = protocol === "connect" ? "connect-accept-" : "grpc-accept-";
  const headers = {
    "content-type": streamTypes[protocol],
    [`${prefix}encoding`]: encoding,
    [`${accept}encoding`]: encoding,
  };
  const requests = name === "Download" ? [{ content: {}, isCompressed: false }] : contents;
  const frames = requests.map(({ content, isCompressed }) =>
    frame(
      toBinary(UploadRequestSchema, create(UploadRequestSchema, { content })),
      isCompressed,
      encoding,
    ),
  );
  const bytes = Buffer.concat(frames);
  const body = protocol === "grpc-web-text" ? Buffer.from(bytes.toString("base64")) : bytes;
  const path = `/${ScriptService.typeName}/${name}`;
  // A bidi stream needs HTTP/2.
  return version === 1 && name !== "Talk"
    ? sendHttp1(port, path, headers, piecesOf(body, cuts))
    : sendHttp2(session, path, headers, piecesOf(body, cuts));
}

function piecesOf(body: Buffer, cuts: Generated["cuts"]): Pieces {
  const places = cuts
    .map(({ at, pause }) => ({ at: at % (body.byteLength + 1), pause }))
    .sort((a, b) => a.at - b.at);
  let start = 0;
  const pieces = places.map(({ at, pause }) => {
    const piece = { bytes: body.subarray(start, at), pause };
    start = at;
    return piece;
  });
  return [...pieces, { bytes: body.subarray(start), pause: 0 }];
}

function frame(bytes: Uint8Array, isCompressed: boolean, encoding: Encoding): Buffer {
  const data = isCompressed ? encodings[encoding][0](bytes) : bytes;
  const head = Buffer.alloc(5);
  head[0] = isCompressed ? 1 : 0;
  head.writeUInt32BE(data.byteLength, 1);
  return Buffer.concat([head, data]);
}

/** The messages of an answer; what ends it is skipped. */
function decode(
  name: "Download" | "Talk",
  body: Buffer,
  { protocol, encoding }: Generated,
): Content[] {
  const bytes = protocol === "grpc-web-text" ? fromBase64(body) : body;
  const schema = name === "Talk" ? TalkResponseSchema : DownloadResponseSchema;
  const contents: Content[] = [];
  for (let offset = 0; offset < bytes.byteLength; ) {
    const flags = bytes[offset] as number;
    const length = bytes.readUInt32BE(offset + 1);
    const data = bytes.subarray(offset + 5, offset + 5 + length);
    offset += 5 + length;
    if (flags > 1) continue;
    const inflated = flags === 1 ? encodings[encoding][1](data) : data;
    contents.push(plain((fromBinary(schema, inflated) as { content?: Content }).content));
  }
  return contents;
}

/** Padding may stand wherever the sender flushed. */
function fromBase64(body: Buffer): Buffer {
  const groups = body.toString("latin1").match(/.{1,4}/gs) ?? [];
  return Buffer.concat(groups.map((group) => Buffer.from(group, "base64")));
}

function plain({ text, payload }: Content = {}): Content {
  return { text, payload: new Uint8Array(payload ?? []) };
}

async function turns(count = 0): Promise<void> {
  for (let left = count; left > 0; left--) await turn();
}
