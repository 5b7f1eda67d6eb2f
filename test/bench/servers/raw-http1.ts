import * as http from "node:http";
import type { AddressInfo } from "node:net";
import { create, fromBinary, fromJsonString, toBinary, toJsonString } from "@bufbuild/protobuf";
import { EchoRequestSchema, EchoResponseSchema } from "../../gen/connectum/bench/v1/echo_pb.js";
import { answerQuestions } from "./host.ts";

// The physical limit of unary calls over HTTP/1.1: no protocol, only the work.
const server = http.createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const [first] = chunks;
    const body = chunks.length === 1 && first ? first : Buffer.concat(chunks);
    const type = request.headers["content-type"] as string;
    const answer = type === "application/json" ? echoJson(body) : echoBinary(body);
    response.writeHead(200, { "content-type": type, "content-length": String(answer.byteLength) });
    response.end(answer);
  });
});
server.listen(0, "127.0.0.1", () => answerQuestions((server.address() as AddressInfo).port));

function echoJson(body: Buffer): Uint8Array {
  const { text, payload } = fromJsonString(EchoRequestSchema, body.toString());
  return Buffer.from(
    toJsonString(EchoResponseSchema, create(EchoResponseSchema, { text, payload })),
  );
}

function echoBinary(body: Buffer): Uint8Array {
  const { text, payload } = fromBinary(EchoRequestSchema, body);
  return toBinary(EchoResponseSchema, create(EchoResponseSchema, { text, payload }));
}
