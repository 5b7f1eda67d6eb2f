import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { create, toBinary, toJsonString } from "@bufbuild/protobuf";
import { EchoRequestSchema, RepeatRequestSchema } from "../gen/connectum/bench/v1/echo_pb.js";

/** 35 bytes as a protobuf message. */
export const text = "a message of thirty-three letters";

/** Files with request bodies, for load programs that read one. */
export interface Payloads {
  /** EchoRequest of 35 bytes: bare, in JSON, in a gRPC frame. */
  readonly message: string;
  readonly json: string;
  readonly frame: string;
  /** EchoRequest with 1 MiB in a gRPC frame. */
  readonly largeFrame: string;
  /** RepeatRequest for 100 messages, bare. */
  readonly repeat: string;
}

export function writePayloads(directory: string): Payloads {
  const write = (name: string, bytes: Uint8Array | string) => {
    const file = resolve(directory, name);
    writeFileSync(file, bytes);
    return file;
  };
  const echo = create(EchoRequestSchema, { text });
  const message = toBinary(EchoRequestSchema, echo);
  const payload = new Uint8Array(1024 * 1024).fill(7);
  const large = toBinary(EchoRequestSchema, create(EchoRequestSchema, { payload }));
  const repeat = create(RepeatRequestSchema, { text, count: 100 });
  return {
    message: write("message.bin", message),
    json: write("message.json", toJsonString(EchoRequestSchema, echo)),
    frame: write("frame.bin", frameOf(message)),
    largeFrame: write("large-frame.bin", frameOf(large)),
    repeat: write("repeat.bin", toBinary(RepeatRequestSchema, repeat)),
  };
}

function frameOf(message: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.byteLength, 1);
  return Buffer.concat([head, message]);
}
