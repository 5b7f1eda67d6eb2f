import * as http2 from "node:http2";
import type { AddressInfo } from "node:net";
import { create, type DescMessage, fromBinary, type Message, toBinary } from "@bufbuild/protobuf";
import {
  ConverseRequestSchema,
  ConverseResponseSchema,
  EchoRequestSchema,
  EchoResponseSchema,
  RepeatRequestSchema,
  RepeatResponseSchema,
} from "../../gen/connectum/bench/v1/echo_pb.js";
import { answerQuestions } from "./host.ts";

type Stream = http2.ServerHttp2Stream;

const head = { ":status": 200, "content-type": "application/grpc+proto" };

// The physical limit of gRPC over HTTP/2: the `stream` event, the messages, the frames, and nothing else.
const server = http2.createServer({ settings: { maxConcurrentStreams: 1000 } });
server.on("stream", (stream, headers) => {
  stream.on("error", () => {});
  switch (headers[":path"]) {
    case "/connectum.bench.v1.EchoService/Echo":
      return readAll(stream, echo);
    case "/connectum.bench.v1.EchoService/Repeat":
      return readAll(stream, repeat);
    default:
      return converse(stream);
  }
});
server.listen(0, "127.0.0.1", () => answerQuestions((server.address() as AddressInfo).port));

function readAll(stream: Stream, answer: (stream: Stream, message: Buffer) => void): void {
  const chunks: Buffer[] = [];
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  stream.on("end", () => {
    const [first] = chunks;
    const body = chunks.length === 1 && first ? first : Buffer.concat(chunks);
    // The load ends in the middle of its last messages.
    const isWhole = body.byteLength >= 5 && body.byteLength === 5 + body.readUInt32BE(1);
    if (isWhole && !stream.destroyed) answer(stream, body.subarray(5));
  });
}

function echo(stream: Stream, message: Buffer): void {
  const { text, payload } = fromBinary(EchoRequestSchema, message);
  const response = create(EchoResponseSchema, { text, payload });
  begin(stream);
  stream.end(frame(EchoResponseSchema, response));
}

function repeat(stream: Stream, message: Buffer): void {
  const { text, count } = fromBinary(RepeatRequestSchema, message);
  const frames: Buffer[] = [];
  for (let index = 0; index < count; index++) {
    frames.push(frame(RepeatResponseSchema, create(RepeatResponseSchema, { text })));
  }
  begin(stream);
  stream.end(Buffer.concat(frames));
}

function converse(stream: Stream): void {
  let rest: Buffer = Buffer.alloc(0);
  begin(stream);
  stream.on("data", (chunk: Buffer) => {
    rest = rest.byteLength === 0 ? chunk : Buffer.concat([rest, chunk]);
    while (rest.byteLength >= 5 && rest.byteLength >= 5 + rest.readUInt32BE(1)) {
      const end = 5 + rest.readUInt32BE(1);
      const { text } = fromBinary(ConverseRequestSchema, rest.subarray(5, end));
      rest = rest.subarray(end);
      stream.write(frame(ConverseResponseSchema, create(ConverseResponseSchema, { text })));
    }
  });
  stream.on("end", () => stream.end());
}

function begin(stream: Stream): void {
  stream.respond(head, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
}

function frame(schema: DescMessage, message: Message): Buffer {
  const data = toBinary(schema, message);
  const bytes = Buffer.allocUnsafe(5 + data.byteLength);
  bytes[0] = 0;
  bytes.writeUInt32BE(data.byteLength, 1);
  bytes.set(data, 5);
  return bytes;
}
