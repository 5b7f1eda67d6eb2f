import assert from "node:assert/strict";
import { once } from "node:events";
import * as http from "node:http";
import * as http2 from "node:http2";
import { describe, type TestContext, test } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import { defineService } from "connectum/core";
import { createTestServer } from "connectum/testing";
import { DetailSchema, ScriptService } from "../../gen/connectum/script/v1/script_pb.js";

const service = defineService(ScriptService, {
  once({ content }, { responseTrailer }) {
    const text = content?.text ?? "";
    if (text === "detail") throw new ConnectError("", Code.DataLoss, undefined, [emptyDetail]);
    responseTrailer.set("x-tail", "é");
    responseTrailer.append("x-more", "a");
    responseTrailer.append("x-more", "");
    return { content };
  },
  async *download(_, { responseHeader }) {
    responseHeader.set("x-head", "é");
    yield {};
  },
  async upload(requests) {
    let count = 0;
    for await (const _ of requests) count++;
    return { report: { messages: count } };
  },
  look() {
    throw new ConnectError(" a space on both sides, 100 % ", Code.Aborted);
  },
});

const emptyDetail = { desc: DetailSchema, value: {} };
const emptyMessage = Buffer.alloc(5);

interface Answer {
  readonly headers: http2.IncomingHttpHeaders;
  readonly trailers: http2.IncomingHttpHeaders;
  readonly body: Buffer;
}

async function connect(t: TestContext): Promise<http2.ClientHttp2Session> {
  const { baseUrl } = await createTestServer({ t, services: [service] });
  const session = http2.connect(baseUrl);
  t.after(() => session.destroy());
  return session;
}

async function send(
  session: http2.ClientHttp2Session,
  name: string,
  contentType: string,
  body: Buffer,
): Promise<Answer> {
  const path = `/${ScriptService.typeName}/${name}`;
  const stream = session.request(
    { ":method": "POST", ":path": path, "content-type": contentType },
    { endStream: false },
  );
  const chunks: Buffer[] = [];
  let trailers = {};
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  stream.once("trailers", (fields) => {
    trailers = fields;
  });
  const closed = once(stream, "close");
  stream.end(body);
  const [headers] = (await once(stream, "response")) as [http2.IncomingHttpHeaders];
  await closed;
  return { headers, trailers, body: Buffer.concat(chunks) };
}

describe("what goes over the wire", () => {
  test("a gRPC error without headers is one frame", async (t) => {
    const answer = await send(await connect(t), "Look", "application/grpc", emptyMessage);
    assert.equal(answer.headers["grpc-status"], "10");
    assert.deepEqual(answer.trailers, {});
  });

  test("grpc-message keeps the spaces at its ends", async (t) => {
    const { headers } = await send(await connect(t), "Look", "application/grpc", emptyMessage);
    assert.equal(headers["grpc-message"], "%20a space on both sides, 100 %25%20");
  });

  test("an empty detail has no value on the wire, as protobuf writes it", async (t) => {
    const body = Buffer.from([0, 0, 0, 0, 10, 0x12, 8, 0x0a, 6, ...Buffer.from("detail")]);
    const { headers } = await send(await connect(t), "Once", "application/grpc", body);
    const status = Buffer.from(String(headers["grpc-status-details-bin"]), "base64");
    const typeUrl = "type.googleapis.com/connectum.script.v1.Detail";
    assert.deepEqual([...status.subarray(0, 6)], [0x08, 15, 0x1a, 0x30, 0x0a, 0x2e]);
    assert.equal(status.subarray(6).toString(), typeUrl);
  });

  test("gRPC-Web trailers are UTF-8", async (t) => {
    const { body } = await send(await connect(t), "Once", "application/grpc-web", emptyMessage);
    assert.match(body.toString("utf8"), /x-tail: é\r\n/);
  });

  test("an empty value appended to a trailer leaves no space, which clients refuse", async (t) => {
    const answer = await send(await connect(t), "Once", "application/grpc", emptyMessage);
    assert.equal(answer.trailers["x-more"], "a,");
  });

  test("an HTTP/1.1 stream writes headers in Latin-1, as every answer does", async (t) => {
    const { baseUrl } = await createTestServer({ t, services: [service] });
    const request = http.request(`${baseUrl}/${ScriptService.typeName}/Download`, {
      method: "POST",
      headers: { "content-type": "application/connect+proto" },
    });
    request.end(emptyMessage);
    const [response] = (await once(request, "response")) as [http.IncomingMessage];
    assert.equal(response.headers["x-head"], "é");
    response.resume();
    await once(response, "end");
  });
});

test("an empty request stream ends, however early its end comes", async (t) => {
  const session = await connect(t);
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => send(session, "Upload", "application/grpc", Buffer.alloc(0))),
  );
  for (const { trailers } of answers) assert.equal(trailers["grpc-status"], "0");
});

test("a Connect GET with a message that is no base64 is refused", async (t) => {
  const { baseUrl } = await createTestServer({ t, services: [service] });
  const path = `${baseUrl}/${ScriptService.typeName}/Look?connect=v1&encoding=proto&base64=1`;
  for (const message of ["x", "AAAA=", "A*AA", "{}"]) {
    const response = await fetch(`${path}&message=${encodeURIComponent(message)}`);
    assert.equal(response.status, 400, message);
    assert.deepEqual(await response.json(), {
      code: "invalid_argument",
      message: "message is not valid base64",
    });
  }
});
